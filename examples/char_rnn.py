"""Sequences letter by letter: an RNN that tells a word's language, and one that makes up words in it."""

import argparse
import random
import string

import jtorch as torch
import jtorch.nn as nn
import jtorch.nn.functional as F

# Numbers, days, months, and words of house and weather: the same meanings in four languages.
WORDS = {
    "English": """
        one two three four five six seven eight nine ten eleven twelve hundred thousand monday tuesday wednesday
        thursday friday saturday sunday january february march april may june july august september october november
        december house window door garden kitchen water bread weather summer winter spring autumn morning evening
        night year
    """,
    "German": """
        eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf hundert tausend montag dienstag mittwoch
        donnerstag freitag samstag sonntag januar februar märz april mai juni juli august september oktober november
        dezember haus fenster tür garten küche wasser brot wetter sommer winter frühling herbst morgen abend nacht
        jahr
    """,
    "Italian": """
        uno due tre quattro cinque sei sette otto nove dieci undici dodici cento mille lunedì martedì mercoledì
        giovedì venerdì sabato domenica gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre
        novembre dicembre casa finestra porta giardino cucina acqua pane tempo estate inverno primavera autunno
        mattina sera notte anno
    """,
    "Finnish": """
        yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän kymmenen yksitoista kaksitoista sata tuhat
        maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai tammikuu helmikuu maaliskuu huhtikuu
        toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu talo ikkuna ovi puutarha keittiö vesi
        leipä sää kesä talvi kevät syksy aamu ilta yö vuosi
    """,
}
WORDS = {language: words.split() for language, words in WORDS.items()}
LANGUAGES = list(WORDS)
LETTERS = string.ascii_lowercase + "äöüìß"
END = len(LETTERS)  # the mark after a word's last letter


def letters_to_tensor(word):
    """One row of zeros and a one for each letter. Shape: (letters, 1, kinds of letters)."""
    tensor = torch.zeros(len(word), 1, len(LETTERS) + 1)
    for li, letter in enumerate(word):
        tensor[li][0][LETTERS.index(letter)] = 1
    return tensor


class Classifier(nn.Module):
    """A recurrent cell written out: the next state from letter and state, and languages from the last state."""

    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)

    def forward(self, letter, hidden):
        hidden = torch.tanh(self.i2h(letter) + self.h2h(hidden))
        return F.log_softmax(self.h2o(hidden), dim=1), hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


def read(model, word):
    """What the model thinks after the last letter: log-probabilities of the languages (1, languages)."""
    hidden = model.init_hidden()
    for letter in letters_to_tensor(word):
        output, hidden = model(letter, hidden)
    return output


def classify(args):
    model = Classifier(len(LETTERS) + 1, args.hidden, len(LANGUAGES))
    print(model)
    criterion = nn.NLLLoss()
    total = 0.0
    for step in range(1, args.steps + 1):
        language = random.choice(LANGUAGES)
        word = random.choice(WORDS[language])
        output = read(model, word)
        loss = criterion(output, torch.tensor([LANGUAGES.index(language)]))
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-args.lr)
        total += loss.item()
        if step % args.every == 0:
            guess = LANGUAGES[output.topk(1)[1][0].item()]
            verdict = "right" if guess == language else f"no, {language}"
            print(f"step {step}: loss {total / args.every:.3f}, {word} is {guess}: {verdict}")
            total = 0.0

    confusion = torch.zeros(len(LANGUAGES), len(LANGUAGES))
    with torch.no_grad():
        for truth, language in enumerate(LANGUAGES):
            for word in WORDS[language][: args.test]:
                confusion[truth][read(model, word).argmax()] += 1
    confusion /= confusion.sum(dim=1, keepdim=True)
    print(f"{'':9}" + "".join(f"{language:>9}" for language in LANGUAGES))
    for language, row in zip(LANGUAGES, confusion, strict=True):
        print(f"{language:9}" + "".join(f"{share:9.2f}" for share in row))


class Generator(nn.Module):
    """A GRU over embedded letters, started with a language. Shape: (letters,) -> (letters, kinds of letters)."""

    def __init__(self, hidden_size):
        super().__init__()
        self.language = nn.Embedding(len(LANGUAGES), hidden_size)
        self.letters = nn.Embedding(len(LETTERS) + 1, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)
        self.dropout = nn.Dropout(0.1)
        self.out = nn.Linear(hidden_size, len(LETTERS) + 1)

    def start(self, language):
        return self.language(torch.tensor([LANGUAGES.index(language)]))

    def forward(self, letters, hidden):
        output, hidden = self.gru(self.letters(letters), hidden)
        return self.out(self.dropout(output)), hidden


def make_up(model, language, first, longest=12):
    """A word that begins with a letter, always going on with the likeliest next one."""
    word = first
    with torch.no_grad():
        letter, hidden = torch.tensor([LETTERS.index(first)]), model.start(language)
        while len(word) < longest:
            output, hidden = model(letter, hidden)
            letter = output.argmax(dim=1)
            if letter.item() == END:
                break
            word += LETTERS[letter]
    return word


def generate(args):
    model = Generator(args.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    total = 0.0
    for step in range(1, args.steps + 1):
        language = random.choice(LANGUAGES)
        word = torch.tensor([LETTERS.index(letter) for letter in random.choice(WORDS[language])])
        target = torch.cat([word[1:], torch.tensor([END])])
        output, _ = model(word, model.start(language))
        loss = F.cross_entropy(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        if step % args.every == 0:
            print(f"step {step}: loss {total / args.every:.3f}")
            total = 0.0
    model.eval()
    for language in LANGUAGES:
        print(f"{language:9}", *(make_up(model, language, first) for first in "sntm"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000, help="of training, one word each")
    parser.add_argument("--every", type=int, default=500, help="steps between two lines")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--test", type=int, default=60, help="words of each language to judge by")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    print("Which language is it?")
    classify(args)
    print("And words that there might be")
    generate(args)


if __name__ == "__main__":
    main()
