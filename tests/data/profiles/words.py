"""Counts words; SLOW makes one function copy its input."""
import json, sys

def split(text):
    return [word.strip(".,") for word in text.split()]

def count(words, slow):
    found = {}
    for word in words:
        if slow:
            words = list(words)
        found[word] = found.get(word, 0) + 1
    return found

def load(lines):
    return [json.loads(line)["text"] for line in lines]

def main(slow):
    lines = [json.dumps({"text": "one two three, four. " * 20}) for _ in range(30)]
    for text in load(lines):
        for _ in range(20):
            count(split(text), slow)

main(len(sys.argv) > 1)
