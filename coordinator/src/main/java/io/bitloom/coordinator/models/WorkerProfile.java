package io.bitloom.coordinator.models;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.rules.Pools;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.v1.CapacityUpdate;
import io.bitloom.v1.Hello;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.WorkerModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Who a worker is and what it can draw, as it said in its Hello and learned since. */
public final class WorkerProfile {

  private static final int MAX_NAME = 128;
  private static final int MAX_TEXT = 1000;

  /** It is kept in Redis. */
  private static final int MAX_MODEL_BYTES = 64 << 10;

  private static final int MAX_IMAGES_PER_BATCH = 4096;

  private final Hello hello;
  private final Secret instance;
  private final Map<String, WorkerModel> models = new LinkedHashMap<>();

  /** Changed by the dispatcher and read by whoever wants to know what can be drawn. */
  private final Map<Bucket, ScheduleCapacity> capacities = new ConcurrentHashMap<>();

  /**
   * @throws BitloomException {@code INVALID_FIELD} with all that is wrong
   */
  public WorkerProfile(Hello hello) {
    List<FieldViolation> violations = new ArrayList<>();
    checkName("hello.worker_id", hello.getWorkerId(), violations);
    PromptRules.checkLabel("hello.version", hello.getVersion(), MAX_NAME, violations);
    PromptRules.checkLabel("hello.device", hello.getDevice(), MAX_TEXT, violations);
    if (!hello.getPool().isEmpty()) {
      checkName("hello.pool", hello.getPool(), violations);
    }
    if (hello.getModelsCount() == 0) {
      violations.add(FieldViolation.of("hello.models", "", "must name a model"));
    }
    for (int i = 0; i < hello.getModelsCount(); i++) {
      checkModel("hello.models[" + i + "]", hello.getModels(i), violations);
    }
    Optional<Secret> secret = Secret.parse(hello.getInstanceSecret());
    if (secret.isEmpty()) {
      violations.add(
          FieldViolation.of(
              "hello.instance_secret",
              "", // what was meant to be secret is not shown
              "must be 128 random bits in base64url; a worker that does not send them is older than"
                  + " this coordinator"));
    }
    if (!violations.isEmpty()) {
      throw BitloomException.invalid(violations);
    }
    this.instance = secret.get();
    this.hello = hello.toBuilder().clearHeldLeases().clearInstanceSecret().build();
    for (WorkerModel model : hello.getModelsList()) {
      models.put(model.getName(), model);
      model.getCapacitiesList().forEach(capacity -> put(model.getName(), capacity));
    }
  }

  private static void checkName(String field, String name, List<FieldViolation> violations) {
    if (name.isBlank()) {
      violations.add(FieldViolation.of(field, name, "must not be empty"));
    }
    PromptRules.checkLabel(field, name, MAX_NAME, violations);
  }

  private static void checkModel(String field, WorkerModel model, List<FieldViolation> violations) {
    checkName(field + ".name", model.getName(), violations);
    PromptRules.checkLabel(field + ".digest", model.getDigest(), MAX_NAME, violations);
    PromptRules.checkLabel(field + ".description", model.getDescription(), MAX_TEXT, violations);
    if (model.getSerializedSize() > MAX_MODEL_BYTES) {
      violations.add(
          FieldViolation.of(
              field, model.getSerializedSize() + " bytes", "must take at most " + MAX_MODEL_BYTES));
      return;
    }
    if (model.getSizesCount() == 0) {
      violations.add(FieldViolation.of(field + ".sizes", "", "must name a size"));
    }
    for (String size : model.getSizesList()) {
      if (SizeClass.find(size).isEmpty()) {
        violations.add(
            FieldViolation.of(field + ".sizes", size, "must be one of " + SizeClass.labels()));
      }
    }
    if (model.getBlocks() < 0) {
      violations.add(
          FieldViolation.of(field + ".blocks", model.getBlocks(), "must not be negative"));
    }
    PromptRules.defaults().checkDefaults(model.getDefaults()).stream()
        .map(violation -> violation.in(field + ".defaults"))
        .forEach(violations::add);
    model.getCapacitiesList().forEach(capacity -> check(field, capacity, violations));
  }

  private static void check(
      String field, ScheduleCapacity capacity, List<FieldViolation> violations) {
    if (ScaleSchedules.find(capacity.getSchedule()).isEmpty()) {
      violations.add(
          FieldViolation.of(
              field + ".capacities.schedule", capacity.getSchedule(), "must be a scale schedule"));
    }
    if (capacity.getMaxImages() < 1 || capacity.getMaxImages() > MAX_IMAGES_PER_BATCH) {
      violations.add(
          FieldViolation.of(
              field + ".capacities.max_images",
              capacity.getMaxImages(),
              "must be 1 to " + MAX_IMAGES_PER_BATCH));
    }
  }

  private void put(String model, ScheduleCapacity capacity) {
    capacities.put(new Bucket(model, capacity.getSchedule()), capacity);
  }

  /**
   * @throws BitloomException {@code INVALID_FIELD} with all that is wrong; nothing is changed then
   */
  public void update(CapacityUpdate update) {
    List<FieldViolation> violations = new ArrayList<>();
    if (!models.containsKey(update.getModel())) {
      violations.add(
          FieldViolation.of(
              "capacity_update.model", update.getModel(), "must be a model of this worker"));
    }
    update.getCapacitiesList().forEach(capacity -> check("capacity_update", capacity, violations));
    if (!violations.isEmpty()) {
      throw BitloomException.invalid(violations);
    }
    update.getCapacitiesList().forEach(capacity -> put(update.getModel(), capacity));
  }

  public String workerId() {
    return hello.getWorkerId();
  }

  /** What only the worker's process knows. */
  public Secret instance() {
    return instance;
  }

  public String version() {
    return hello.getVersion();
  }

  public String device() {
    return hello.getDevice();
  }

  /** Which of the pools it is of. */
  public String pool() {
    return hello.getPool().isEmpty() ? Pools.DEFAULT : hello.getPool();
  }

  public Collection<WorkerModel> models() {
    return models.values();
  }

  public Set<String> modelNames() {
    return models.keySet();
  }

  /** Digest of a model of this worker; empty if it has no such model. */
  public String digest(String model) {
    WorkerModel known = models.get(model);
    return known == null ? "" : known.getDigest();
  }

  /** Largest batch of this bucket in images; 0 if the worker cannot draw it. */
  public int capacity(Bucket bucket) {
    ScheduleCapacity capacity = capacities.get(bucket.whole());
    if (capacity != null) {
      return capacity.getMaxImages();
    }
    WorkerModel model = models.get(bucket.model());
    if (model == null) {
      return 0;
    }
    return ScaleSchedules.find(bucket.schedule())
        .map(ScaleSchedule::size)
        .filter(size -> model.getSizesList().contains(size.label()))
        .map(size -> 1)
        .orElse(0);
  }

  public boolean warm(Bucket bucket) {
    ScheduleCapacity capacity = capacities.get(bucket.whole());
    return capacity != null && capacity.getWarm();
  }
}
