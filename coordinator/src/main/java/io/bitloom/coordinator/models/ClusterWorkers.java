package io.bitloom.coordinator.models;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.v1.ListModelsResponse;
import io.bitloom.v1.Model;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the workers of all coordinators can do: of those here each is known, of the others how many
 * have a model for the same sizes.
 */
public final class ClusterWorkers {

  private final Collection<WorkerProfile> here;
  private final List<Model> elsewhere;

  private ClusterWorkers(Collection<WorkerProfile> here, List<Model> elsewhere) {
    this.here = here;
    this.elsewhere = elsewhere;
  }

  /**
   * @param records of other coordinators, as {@link #record} makes them
   */
  static ClusterWorkers of(Collection<WorkerProfile> here, List<ByteString> records) {
    List<Model> elsewhere = new ArrayList<>();
    records.forEach(record -> elsewhere.addAll(parse(record)));
    return new ClusterWorkers(List.copyOf(here), elsewhere);
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
    Map<Model, Integer> alike = new LinkedHashMap<>();
    workers.forEach(
        worker ->
            worker
                .models()
                .forEach(
                    model ->
                        alike.merge(
                            Model.newBuilder()
                                .setName(model.getName())
                                .addAllSizes(model.getSizesList().stream().sorted().toList())
                                .build(),
                            1,
                            Integer::sum)));
    ListModelsResponse.Builder record = ListModelsResponse.newBuilder();
    alike.forEach((model, n) -> record.addModels(model.toBuilder().setWorkers(n)));
    return record.build().toByteString();
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
