package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.queue.ModelRecords;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Forgets models that no worker has had for long and that no open job names. */
public final class UnusedModels {

  private static final Logger log = LoggerFactory.getLogger(UnusedModels.class);

  private final ModelRecords models;
  private final ModelsInUse inUse;
  private final Duration kept;

  /**
   * @param kept for how long a model is known that no worker has
   */
  public UnusedModels(ModelRecords models, ModelsInUse inUse, Duration kept) {
    this.models = models;
    this.inUse = inUse;
    this.kept = kept;
  }

  /** Forgets those that there are; open jobs are read only if there may be some. */
  public CompletionStage<Void> sweep() {
    return models
        .unseen(kept)
        .thenCompose(
            unseen ->
                unseen.isEmpty()
                    ? CompletableFuture.<Void>completedStage(null)
                    : inUse.names().thenCompose(named -> forget(unseen, named)))
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                log.debug("Unused models are looked for later: {}", e.toString());
              }
            });
  }

  private CompletionStage<Void> forget(List<String> unseen, Set<String> named) {
    return forgetEach(unseen.stream().filter(model -> !named.contains(model)).iterator());
  }

  private CompletionStage<Void> forgetEach(Iterator<String> left) {
    if (!left.hasNext()) {
      return CompletableFuture.completedStage(null);
    }
    String model = left.next();
    return models
        .retract(model, kept)
        .thenAccept(
            gone -> {
              if (gone) {
                log.info("Model {} is forgotten: no worker has had it for {}", model, kept);
              }
            })
        .thenCompose(done -> forgetEach(left));
  }
}
