package io.bitloom.coordinator.registry;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.rules.Pools;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.models.WantedModels;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.v1.ModelState;
import io.bitloom.v1.PoolModels;
import io.bitloom.v1.PoolVersion;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/** Which pools have which versions of models, and shall have them. */
public final class PoolsOfModels {

  private static final int MAX_NAME = 128;

  private final WantedModels wanted;
  private final ModelRegistry workers;

  /**
   * @param workers that are connected here
   */
  public PoolsOfModels(WantedModels wanted, ModelRegistry workers) {
    this.wanted = wanted;
    this.workers = workers;
  }

  CompletionStage<PoolModels> load(String pool, String version) {
    String name = checked(pool);
    return wanted.load(name, version).thenApply(versions -> message(name, versions, any -> true));
  }

  CompletionStage<PoolModels> unload(String pool, String version) {
    String name = checked(pool);
    return wanted.unload(name, version).thenApply(versions -> message(name, versions, any -> true));
  }

  private static String checked(String pool) {
    if (pool.isEmpty()) {
      return Pools.DEFAULT;
    }
    List<FieldViolation> violations = new ArrayList<>();
    PromptRules.checkLabel("pool", pool, MAX_NAME, violations);
    if (pool.isBlank()) {
      violations.add(FieldViolation.of("pool", pool, "must not be blank"));
    }
    if (!violations.isEmpty()) {
      throw BitloomException.invalid(violations);
    }
    return pool;
  }

  /** Every version that workers of some pool shall have. */
  CompletionStage<Set<String>> wanted() {
    return wanted
        .refresh()
        .thenApply(
            all -> {
              Set<String> versions = new HashSet<>();
              all.values().forEach(versions::addAll);
              return versions;
            });
  }

  /** Every pool of which there is something to say. */
  CompletionStage<Collection<PoolModels>> all(Predicate<String> version) {
    return wanted
        .refresh()
        .thenApply(
            all -> {
              Map<String, List<String>> pools = new TreeMap<>(all);
              workers
                  .connectedHere()
                  .forEach(worker -> pools.putIfAbsent(worker.pool(), List.of()));
              return pools.entrySet().stream()
                  .map(pool -> message(pool.getKey(), pool.getValue(), version))
                  .filter(pool -> pool.getVersionsCount() + pool.getStatesCount() > 0)
                  .toList();
            });
  }

  private PoolModels message(String pool, List<String> versions, Predicate<String> wanted) {
    PoolModels.Builder message =
        PoolModels.newBuilder()
            .setPool(pool)
            .addAllVersions(versions.stream().filter(wanted).toList());
    Map<PoolVersion, Integer> alike = new TreeMap<>(PoolsOfModels::compare);
    for (WorkerProfile worker : workers.connectedHere()) {
      if (worker.pool().equals(pool)) {
        worker.states().stream()
            .filter(state -> wanted.test(state.getVersion()))
            .forEach(state -> alike.merge(message(state), 1, Integer::sum));
      }
    }
    alike.forEach((state, n) -> message.addStates(state.toBuilder().setWorkers(n)));
    return message.build();
  }

  private static PoolVersion message(ModelState state) {
    return PoolVersion.newBuilder()
        .setVersion(state.getVersion())
        .setState(state.getState())
        .setReason(state.getReason())
        .build();
  }

  /** One reason stands for others: what is counted are versions in a state. */
  private static int compare(PoolVersion one, PoolVersion other) {
    int byVersion = one.getVersion().compareTo(other.getVersion());
    return byVersion != 0 ? byVersion : Integer.compare(one.getStateValue(), other.getStateValue());
  }
}
