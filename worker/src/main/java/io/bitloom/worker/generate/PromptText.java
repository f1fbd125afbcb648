package io.bitloom.worker.generate;

import io.bitloom.v1.DrawnText;
import io.bitloom.v1.Prompt;
import io.bitloom.worker.rewrite.Rewriting;
import io.bitloom.worker.text.PositivePrompt;

/** What becomes of a prompt's text before it is encoded, and what results say of it. */
final class PromptText {
  private PromptText() {}

  /** Without a rewriter. Empty if the text is drawn as it is. */
  static DrawnText drawn(Prompt prompt) {
    String text = positive(prompt, prompt.getPrompt());
    return text.equals(prompt.getPrompt())
        ? DrawnText.getDefaultInstance()
        : DrawnText.newBuilder().setText(text).setPositivePrompt(true).build();
  }

  /** After a rewriter was asked; words are added to what it made of the text. */
  static DrawnText drawn(Prompt prompt, Rewriting rewriting) {
    String text = positive(prompt, rewriting.text());
    return DrawnText.newBuilder()
        .setText(text)
        .setPositivePrompt(!text.equals(rewriting.text()))
        .setRewriter(rewriting.rewriter())
        .setRewriteFailure(rewriting.failure())
        .build();
  }

  private static String positive(Prompt prompt, String text) {
    return prompt.getEnablePositivePrompt() ? PositivePrompt.of(text) : text;
  }
}
