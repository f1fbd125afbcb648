package io.bitloom.coordinator.queue.redis;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Stages that wait for several others. */
public final class Stages {

  private Stages() {}

  /** The values of all stages, in order; fails if one fails, after all are complete. */
  public static <T> CompletionStage<List<T>> all(Collection<? extends CompletionStage<T>> stages) {
    List<CompletableFuture<T>> futures = new ArrayList<>();
    stages.forEach(stage -> futures.add(stage.toCompletableFuture()));
    return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
        .thenApply(done -> futures.stream().map(CompletableFuture::join).toList());
  }

  public static CompletionStage<Void> nothing() {
    return CompletableFuture.completedStage(null);
  }
}
