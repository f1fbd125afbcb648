package io.bitloom.coordinator.models;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.bitloom.common.rules.Pools;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.v1.ListModelsResponse;
import io.bitloom.v1.Model;
import io.bitloom.v1.ModelPool;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What the workers of all coordinators can do: of those here each is known, of the others how many
 * have a model for the same sizes.
 */
public final class ClusterWorkers {

  private final Collection<WorkerProfile> here;

  /** Of each other coordinator. */
  private final List<List<Model>> elsewhereOf;

  /** Of all of them. */
  private final List<Model> elsewhere;

  private ClusterWorkers(Collection<WorkerProfile> here, List<List<Model>> elsewhereOf) {
    this.here = here;
    this.elsewhereOf = elsewhereOf;
    this.elsewhere = elsewhereOf.stream().flatMap(List::stream).toList();
  }

  /**
   * @param records of other coordinators, as {@link #record} makes them
   */
  static ClusterWorkers of(Collection<WorkerProfile> here, List<ByteString> records) {
    return new ClusterWorkers(
        List.copyOf(here), records.stream().map(ClusterWorkers::parse).toList());
  }

  private static List<Model> parse(ByteString record) {
    try {
      return ListModelsResponse.parseFrom(record).getModelsList();
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("what a coordinator says of its workers is broken", e);
    }
  }

  /** What a coordinator says of its workers; empty if it has none. */
  static ByteString record(Collection<WorkerProfile> workers) {
    Map<Model, SortedMap<String, Integer>> alike = new LinkedHashMap<>();
    workers.forEach(
        worker ->
            worker
                .models()
                .forEach(
                    model ->
                        alike
                            .computeIfAbsent(
                                Model.newBuilder()
                                    .setName(model.getName())
                                    .addAllSizes(model.getSizesList().stream().sorted().toList())
                                    .build(),
                                first -> new TreeMap<>())
                            .merge(worker.pool(), 1, Integer::sum)));
    ListModelsResponse.Builder record = ListModelsResponse.newBuilder();
    alike.forEach(
        (model, byPool) ->
            record.addModels(
                model.toBuilder()
                    .setWorkers(byPool.values().stream().mapToInt(n -> n).sum())
                    .addAllPools(messages(byPool))));
    return record.build().toByteString();
  }

  private static List<ModelPool> messages(SortedMap<String, Integer> byPool) {
    List<ModelPool> pools = new ArrayList<>();
    byPool.forEach(
        (pool, n) -> pools.add(ModelPool.newBuilder().setPool(pool).setWorkers(n).build()));
    return pools;
  }

  /** How many of each pool have a model. */
  List<ModelPool> pools(String model) {
    SortedMap<String, Integer> byPool = new TreeMap<>();
    here.stream()
        .filter(worker -> worker.modelNames().contains(model))
        .forEach(worker -> byPool.merge(worker.pool(), 1, Integer::sum));
    elsewhere.stream()
        .filter(other -> other.getName().equals(model))
        .flatMap(other -> poolsOf(other).stream())
        .forEach(other -> byPool.merge(other.getPool(), other.getWorkers(), Integer::sum));
    return messages(byPool);
  }

  /** Coordinators of before there were pools do not tell of them. */
  private static List<ModelPool> poolsOf(Model elsewhere) {
    return elsewhere.getPoolsCount() > 0
        ? elsewhere.getPoolsList()
        : List.of(
            ModelPool.newBuilder()
                .setPool(Pools.DEFAULT)
                .setWorkers(elsewhere.getWorkers())
                .build());
  }

  /** The models that workers of a pool have. */
  public Set<String> modelsOf(String pool) {
    Set<String> models = new TreeSet<>();
    here.stream()
        .filter(worker -> worker.pool().equals(pool))
        .forEach(worker -> models.addAll(worker.modelNames()));
    elsewhere.stream()
        .filter(other -> poolsOf(other).stream().anyMatch(of -> of.getPool().equals(pool)))
        .forEach(other -> models.add(other.getName()));
    return models;
  }

  /**
   * How many are of a pool. Of other coordinators it is known only how many have each model; those
   * of a pool usually have the same ones.
   */
  public int ofPool(String pool) {
    int most =
        elsewhereOf.stream()
            .mapToInt(
                models ->
                    models.stream()
                        .collect(
                            Collectors.groupingBy(
                                Model::getName,
                                Collectors.summingInt(model -> workers(model, pool))))
                        .values()
                        .stream()
                        .mapToInt(n -> n)
                        .max()
                        .orElse(0))
            .sum();
    return most + (int) here.stream().filter(worker -> worker.pool().equals(pool)).count();
  }

  private static int workers(Model elsewhere, String pool) {
    return poolsOf(elsewhere).stream()
        .filter(of -> of.getPool().equals(pool))
        .mapToInt(ModelPool::getWorkers)
        .sum();
  }

  /** How many have a model. */
  public int of(String model) {
    return (int) here.stream().filter(worker -> worker.modelNames().contains(model)).count()
        + elsewhere.stream()
            .filter(other -> other.getName().equals(model))
            .mapToInt(Model::getWorkers)
            .sum();
  }

  /** Whether one of them can draw prompts of a bucket. */
  public boolean draw(Bucket bucket) {
    return here.stream().anyMatch(worker -> worker.capacity(bucket) > 0)
        || ScaleSchedules.find(bucket.schedule())
            .map(ScaleSchedule::size)
            .filter(
                size ->
                    elsewhere.stream()
                        .anyMatch(
                            other ->
                                other.getName().equals(bucket.model())
                                    && other.getSizesList().contains(size.label())))
            .isPresent();
  }
}
