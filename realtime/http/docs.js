"use strict";
const nav = document.querySelector("nav");
const filter = nav.querySelector("input");
const links = [...nav.querySelectorAll("li a")];

function narrow() {
  const wanted = filter.value.trim().toLowerCase();
  for (const link of links) link.parentElement.hidden = !link.textContent.toLowerCase().includes(wanted);
  for (const section of nav.querySelectorAll("section")) section.hidden = !section.querySelector("li:not([hidden])");
  nav.querySelector(".none").hidden = links.some((link) => !link.parentElement.hidden);
}

filter.addEventListener("input", narrow);
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
  } else if (event.key === "Escape" && document.activeElement === filter) {
    filter.value = "";
    narrow();
  } else if (event.key === "Enter" && document.activeElement === filter) {
    links.find((link) => !link.parentElement.hidden)?.click();
  }
});

const byAnchor = new Map(links.map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
let current = null;

function mark(link) {
  if (link === current) return;
  current?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  const box = link.getBoundingClientRect();
  if (box.top < 120 || box.bottom > nav.clientHeight) nav.scrollBy({ top: box.top - nav.clientHeight / 2, behavior: "instant" });
  current = link;
}

const seen = new IntersectionObserver(
  (entries) => {
    const entry = entries.find((one) => one.isIntersecting && byAnchor.has(one.target.id));
    if (entry) mark(byAnchor.get(entry.target.id));
  },
  { rootMargin: "-30px 0px -85% 0px" },
);
for (const anchor of byAnchor.keys()) {
  const target = document.getElementById(anchor);
  if (target) seen.observe(target);
}
