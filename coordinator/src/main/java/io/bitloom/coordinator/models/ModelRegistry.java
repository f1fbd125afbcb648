package io.bitloom.coordinator.models;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.v1.Model;
import io.bitloom.v1.WorkerModel;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The models that workers have announced; they stay known when their workers are gone. */
public final class ModelRegistry {

  private static final Logger log = LoggerFactory.getLogger(ModelRegistry.class);

  private final ModelRecords records;
  private final Optional<String> defaultModel;
  private final Set<WorkerProfile> connected = ConcurrentHashMap.newKeySet();
  private final Map<String, Model> announced = new ConcurrentHashMap<>();

  /**
   * @param defaultModel draws where a job names no model; empty: the only model there is
   */
  public ModelRegistry(ModelRecords records, Optional<String> defaultModel) {
    this.records = records;
    this.defaultModel = defaultModel;
  }

  /** Every known model by name, with the number of workers that are connected here. */
  public CompletionStage<Collection<Model>> all() {
    return known().thenApply(Map::values);
  }

  /**
   * The model that a job means. Fails with {@code MODEL_NOT_FOUND}, or with {@code INVALID_FIELD}
   * if it says nothing and there are several.
   *
   * @param name as in the job; empty: the default
   */
  public CompletionStage<Model> resolve(String name) {
    return known().thenApply(models -> resolve(name, models));
  }

  private Model resolve(String name, Map<String, Model> models) {
    String wanted = name.isEmpty() ? defaultModel.orElse("") : name;
    if (!wanted.isEmpty()) {
      return known(wanted, models);
    }
    if (models.size() > 1) {
      throw BitloomException.invalid(
          "job.model", name, "must be one of " + String.join(", ", models.keySet()));
    }
    return models.values().stream()
        .findFirst()
        .orElseThrow(
            () -> notFound(name, "no worker has connected yet, so that there is no model"));
  }

  /** The model of this name. Fails with {@code MODEL_NOT_FOUND}. */
  public CompletionStage<Model> find(String name) {
    return known().thenApply(models -> known(name, models));
  }

  private static Model known(String name, Map<String, Model> models) {
    Model model = models.get(name);
    if (model == null) {
      throw notFound(
          name,
          models.isEmpty()
              ? "no worker has connected yet, so that there is no model"
              : "no worker has model \""
                  + FieldViolation.shown(name)
                  + "\"; there is: "
                  + String.join(", ", models.keySet()));
    }
    return model;
  }

  private static BitloomException notFound(String name, String message) {
    return new BitloomException(ErrorCode.MODEL_NOT_FOUND, message, "job.model", name);
  }

  private CompletionStage<Map<String, Model>> known() {
    return records
        .all()
        .thenApply(
            announced -> {
              Map<String, Model> models = new TreeMap<>();
              announced.forEach((name, bytes) -> models.put(name, model(name, bytes)));
              return models;
            });
  }

  private Model model(String name, ByteString bytes) {
    try {
      return Model.parseFrom(bytes).toBuilder().setWorkers(workers(name)).build();
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("the description of model " + name + " is broken", e);
    }
  }

  /** Makes the models of a worker known to all coordinators, the latest description winning. */
  public CompletionStage<Void> announce(Collection<WorkerModel> models) {
    return known()
        .thenCompose(
            before -> {
              CompletionStage<Void> announced = CompletableFuture.completedStage(null);
              for (WorkerModel model : models) {
                announced =
                    announced.thenCompose(
                        done -> announce(before.get(model.getName()), described(model)));
              }
              return announced;
            });
  }

  private CompletionStage<Void> announce(Model before, Model model) {
    announced.put(model.getName(), model);
    if (before != null && before.toBuilder().clearWorkers().build().equals(model)) {
      return CompletableFuture.completedStage(null);
    }
    if (before != null && !before.getDigest().equals(model.getDigest())) {
      log.warn(
          "Model {} had digest {} and is announced with {}: images of one prompt may differ",
          model.getName(),
          before.getDigest(),
          model.getDigest());
    }
    return records.put(model.getName(), model.toByteString());
  }

  /** Announces what connected workers have: the queue has forgotten it. */
  public void announceAgain() {
    announced.forEach(
        (name, model) -> {
          if (workers(name) > 0) {
            records
                .put(name, model.toByteString())
                .whenComplete(
                    (done, e) -> {
                      if (e != null) {
                        log.warn("Model {} could not be announced again: {}", name, e.toString());
                      }
                    });
          }
        });
  }

  private static Model described(WorkerModel model) {
    return Model.newBuilder()
        .setName(model.getName())
        .setDigest(model.getDigest())
        .setDescription(model.getDescription())
        .addAllSizes(model.getSizesList())
        .setDefaults(model.getDefaults())
        .setBlocks(model.getBlocks())
        .build();
  }

  /** Workers connected here that have a model. */
  public int workers(String model) {
    return (int) connected.stream().filter(worker -> worker.modelNames().contains(model)).count();
  }

  /** Whether a worker that is connected here can draw prompts of a bucket. */
  public boolean draws(Bucket bucket) {
    return connected.stream().anyMatch(worker -> worker.capacity(bucket) > 0);
  }

  public void connected(WorkerProfile worker) {
    connected.add(worker);
  }

  public void disconnected(WorkerProfile worker) {
    connected.remove(worker);
  }
}
