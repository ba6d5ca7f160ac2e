"""What people write: short sentences of a school's evening, in three languages."""

from typing import Final

BODIES: Final = (
    "ok",
    "Thank you!",
    "Can you explain step 3 again, please?",
    "I got x = 7, is that right?",
    "Why do we carry the one here?",
    "My sound is gone, can you hear me?",
    "Homework is pages 42 to 45, exercises 1, 3 and 7. Please send a photo before Thursday evening.",
    "Well done, that is exactly it. Now try the next one without looking at the example.",
    "The mitochondria are where the cell makes most of its energy, so a muscle cell has many of them.",
    "Sorry, I am five minutes late",
    "हाँ, समझ गया",
    "सर, यह सवाल कैसे हल करें?",
    "क्या आप दूसरा उदाहरण दे सकते हैं?",
    "बहुत अच्छा! अब अगला प्रश्न करो।",
    "कल की कक्षा शाम छह बजे होगी, कृपया अपनी कॉपी साथ रखें।",
    "¿Puede repetir la última parte?",
    "Creo que la respuesta es 12",
    "Muy bien, ahora prueba tú con el siguiente ejercicio.",
    "No entiendo por qué se multiplica por dos aquí",
    "Mañana repasamos fracciones; traed el cuaderno y los ejercicios de la página 18 terminados.",
)
