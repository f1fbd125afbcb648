package io.bitloom.engine;

/**
 * What became of a prompt.
 *
 * @param text what is to be drawn: the new text, or the prompt's own after a failure
 * @param rewriter the language model; empty after a failure
 * @param failure why there is no new text; empty if there is one
 */
public record Rewriting(String text, String rewriter, String failure) {}
