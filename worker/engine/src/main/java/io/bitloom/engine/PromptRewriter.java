package io.bitloom.engine;

import java.util.concurrent.CompletableFuture;

/** An optional step before text encoding, for which a program may ask whom it likes. */
public interface PromptRewriter extends AutoCloseable {

  /** Rewrites a prompt. Completes normally whatever happens. */
  CompletableFuture<Rewriting> rewrite(String prompt);

  /** Prompts that still wait are drawn as they are. */
  @Override
  void close();
}
