"""Prints an explanation for a person: what was read, what each sentence does, which rule spoke, and the draft."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from responder.config import Settings
from responder.core.remarks import lines
from responder.flows.explain import Explanation
from responder.model import Language

_MARKS = {"fired": "[green]●[/]", "vetoed": "[red]✕[/]", "shadowed": "[yellow]○[/]", "missed": "[dim]·[/]"}


def show_explanation(explanation: Explanation, settings: Settings, language: Language) -> None:
    """One mail on the terminal, in the language of whoever reads it."""
    words, decision, message = settings.wording, explanation.decision, explanation.message
    console = Console(highlight=False, soft_wrap=True)

    def title(code: str) -> str:
        return words.text(f"cli.{code}", language)

    console.rule(escape(explanation.file))
    if message is not None:
        console.print(f"[bold]{title('explain_new_text')}[/]")
        for line in message.new_text.strip().splitlines()[:40]:
            console.print(f"  {escape(line)}")
    facts = Table.grid(padding=(0, 2))
    facts.add_row(title("explain_language"), decision.language)
    facts.add_row(title("explain_channel"), decision.channel)
    order = decision.order
    facts.add_row(
        title("explain_order"), escape(f"{order.order_id} ({order.status})" if order else decision.order_id or "-")
    )
    console.print(facts)
    if decision.sentences:
        console.print(f"[bold]{title('explain_sentences')}[/]")
        for sentence in decision.sentences:
            acts = ", ".join((*sentence.acts, *(f"→{topic}" for topic in sentence.topics))) or "-"
            console.print(f"  [cyan]{escape(acts)}[/]  {escape(sentence.text)}")
    spoke = [t for t in decision.trace if t.outcome != "missed"]
    if spoke:
        console.print(f"[bold]{title('explain_rules')}[/]")
        for trace in spoke:
            because = "; ".join(words.reason(reason, language) for reason in trace.because)
            console.print(f"  {_MARKS[trace.outcome]} {escape(trace.rule)}  {escape(because)}")
    action = words.text(f"cli.action_{decision.action}", language)
    console.print(f"[bold]{title('explain_decision')}[/]  {action} / {decision.situation}  ({decision.rule or '-'})")
    for reason in decision.reasons:
        console.print(f"  - {escape(words.reason(reason, language))}")
    if explanation.letter is not None:
        console.print(f"[bold]{title('explain_draft')}[/]  → {escape(explanation.letter.to.mail)}")
        console.print(f"  [bold]{escape(explanation.letter.subject)}[/]")
        for line in explanation.letter.text.splitlines():
            console.print(f"  {escape(line)}")
    if explanation.remarks:
        first, *more = lines(explanation.remarks, words, language)
        if not more:
            console.print(f"[bold]{title('explain_note')}[/]  {escape(first.removeprefix('- '))}")
        else:
            console.print(f"[bold]{title('explain_note')}[/]")
            for line in (first, *more):
                console.print(f"  {escape(line)}")
