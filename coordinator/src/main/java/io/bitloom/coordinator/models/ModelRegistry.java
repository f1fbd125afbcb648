package io.bitloom.coordinator.models;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.v1.Model;
import io.bitloom.v1.WorkerModel;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The models that workers have announced; they stay known when their workers are gone. */
public final class ModelRegistry {

  private static final Logger log = LoggerFactory.getLogger(ModelRegistry.class);

  /** How often coordinators say which models their workers have. */
  public static final Duration SAID_EVERY = Duration.ofSeconds(10);

  /** A coordinator that is silent for so long has no workers. */
  private static final Duration SERVED = SAID_EVERY.multipliedBy(3);

  /** What is known of other coordinators' workers is not asked for more often. */
  private static final Duration FRESH = Duration.ofSeconds(3);

  /** Who says another pool each time is not told of. */
  private static final int MOST_POOLS = 1000;

  private final ModelRecords records;
  private final Optional<String> defaultModel;

  /** By which other coordinators tell the workers of this one from theirs. */
  private final String here = UUID.randomUUID().toString();

  private final Set<WorkerProfile> connected = ConcurrentHashMap.newKeySet();

  /** Those that are connected, or were a moment ago and hold prompts. */
  private final Set<WorkerProfile> serving = ConcurrentHashMap.newKeySet();

  private final Map<String, Model> announced = new ConcurrentHashMap<>();

  /** What was said last of the models of a pool. */
  private final Map<String, Set<String>> poolModels = new ConcurrentHashMap<>();

  // Guarded by this.
  private CompletionStage<List<ByteString>> attended = CompletableFuture.completedStage(List.of());
  private long attendedNanos = System.nanoTime() - FRESH.toNanos();

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

  /**
   * Makes the models of a worker known to all coordinators. What other workers have with the same
   * digest stays as they described it; else the latest description wins. Fails with {@code
   * MODEL_DIFFERS} if workers have a model with another digest, at whatever coordinator.
   */
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

  private CompletionStage<Void> announce(Model listed, Model model) {
    return records
        .serve(model.getName(), model.getDigest(), here, SERVED)
        .thenCompose(
            others -> {
              others.otherDigest().ifPresent(digest -> refuse(model, digest));
              return announce(listed, model, others.before());
            });
  }

  private static void refuse(Model model, String digest) {
    throw new BitloomException(
        ErrorCode.MODEL_DIFFERS,
        String.format(
            Locale.ROOT,
            "workers that are connected have model \"%s\" with the digest %s, not %s; it can be"
                + " replaced when they are gone",
            FieldViolation.shown(model.getName()),
            FieldViolation.shown(digest),
            FieldViolation.shown(model.getDigest())));
  }

  private CompletionStage<Void> announce(Model listed, Model model, boolean othersHaveIt) {
    Model before = listed == null ? null : listed.toBuilder().clearWorkers().build();
    boolean stays =
        model.equals(before)
            || before != null && before.getDigest().equals(model.getDigest()) && othersHaveIt;
    announced.put(model.getName(), stays ? before : model);
    if (stays) {
      return records.putIfAbsent(model.getName(), before.toByteString());
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
    sayAgain();
    connected.forEach(worker -> sayPool(worker.pool(), worker.modelNames()));
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
  private int workers(String model) {
    return ClusterWorkers.of(connected, List.of()).of(model);
  }

  /** The workers of all coordinators, as of some seconds ago. */
  public CompletionStage<ClusterWorkers> clusterWorkers() {
    return attended().thenApply(others -> ClusterWorkers.of(connected, others));
  }

  /** Every known model by name, with the number of workers at all coordinators. */
  public CompletionStage<Collection<Model>> ofCluster() {
    return all()
        .thenCombine(
            clusterWorkers(),
            (models, workers) ->
                models.stream()
                    .map(
                        model ->
                            model.toBuilder()
                                .setWorkers(workers.of(model.getName()))
                                .addAllPools(workers.pools(model.getName()))
                                .build())
                    .toList());
  }

  /** What was heard of the others last, if that is fresh. */
  private synchronized CompletionStage<List<ByteString>> attended() {
    return System.nanoTime() - attendedNanos < FRESH.toNanos() ? attended : attend();
  }

  private synchronized CompletionStage<List<ByteString>> attend() {
    attendedNanos = System.nanoTime();
    CompletionStage<List<ByteString>> before = attended;
    attended =
        records
            .attend(here, ClusterWorkers.record(connected), SERVED)
            .exceptionallyCompose(
                e -> {
                  log.debug("The workers of others are as they were: {}", e.toString());
                  return before;
                });
    return attended;
  }

  /** Tells the others of it, unless they were told of something just now: then they hear later. */
  private synchronized void changed() {
    if (System.nanoTime() - attendedNanos >= FRESH.toNanos()) {
      attend();
    }
  }

  public void connected(WorkerProfile worker) {
    connected.add(worker);
    serving.add(worker);
    changed();
    Set<String> said = poolModels.get(worker.pool());
    if (!worker.modelNames().equals(said) && (said != null || poolModels.size() < MOST_POOLS)) {
      poolModels.put(worker.pool(), worker.modelNames());
      sayPool(worker.pool(), worker.modelNames());
    }
  }

  private void sayPool(String pool, Set<String> models) {
    records
        .putPool(pool, models)
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                poolModels.remove(pool, models);
                log.debug("Pool {} could not be told of: {}", pool, e.toString());
              }
            });
  }

  /** The models of the workers of each pool; of one that has none now, what they had last. */
  public CompletionStage<Map<String, Set<String>>> lastModelsOfPools() {
    return records.pools();
  }

  /** Its leases may wait for it. */
  public void disconnected(WorkerProfile worker) {
    connected.remove(worker);
    changed();
  }

  /** It does not come back to what it held. */
  public void gone(WorkerProfile worker) {
    serving.remove(worker);
    for (WorkerModel model : worker.models()) {
      if (serving.stream().noneMatch(other -> has(other, model))) {
        records
            .withdraw(model.getName(), model.getDigest(), here)
            .whenComplete((done, e) -> complain("withdrawn", model.getName(), e));
      }
    }
  }

  private static boolean has(WorkerProfile worker, WorkerModel model) {
    return worker.models().stream()
        .anyMatch(
            own ->
                own.getName().equals(model.getName()) && own.getDigest().equals(model.getDigest()));
  }

  /** Says again which models workers have here; to be called every {@link #SAID_EVERY}. */
  public void sayAgain() {
    attend();
    Map<String, String> digests = new TreeMap<>();
    serving.forEach(
        worker ->
            worker.models().forEach(model -> digests.put(model.getName(), model.getDigest())));
    digests.forEach(
        (name, digest) ->
            records
                .serve(name, digest, here, SERVED)
                .whenComplete((others, e) -> complain("said to be here", name, e)));
  }

  private static void complain(String what, String model, Throwable e) {
    if (e != null) {
      log.debug("Model {} could not be {}: {}", model, what, e.toString());
    }
  }
}
