import { Component, type ComponentType, h } from "preact";

/** Redraw only when `same` says that the properties differ; preact keeps its own `memo` in the larger compat build. */
export function memo<Props extends object>(
  inner: ComponentType<Props>,
  same: (a: Readonly<Props>, b: Readonly<Props>) => boolean,
): ComponentType<Props> {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      return !same(this.props, next);
    }

    override render() {
      return h(inner, this.props as never);
    }
  };
}
