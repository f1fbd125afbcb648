package io.bitloom.coordinator;

import java.time.Duration;
import java.util.List;

/**
 * How a {@link FakeWorker} behaves.
 *
 * @param model the model that it announces
 * @param sizes size classes of the model
 * @param maxImages largest batch of every schedule
 * @param batchTime how long a batch takes
 * @param imageBytes size of an image
 * @param failureRate share of prompts that fail in a way that another attempt can mend
 * @param crashRate share of batches in which it drops its connection and forgets all it holds
 * @param prefetch how many batches it asks for ahead
 * @param seed of its failures and crashes
 */
public record FakeBehaviour(
    String model,
    List<String> sizes,
    int maxImages,
    Duration batchTime,
    int imageBytes,
    double failureRate,
    double crashRate,
    int prefetch,
    long seed) {

  public static final FakeBehaviour DEFAULT =
      new FakeBehaviour(
          "fake", List.of("0.06M", "0.25M"), 8, Duration.ofMillis(10), 200, 0, 0, 2, 1);

  public FakeBehaviour withModel(String model, String... sizes) {
    return new FakeBehaviour(
        model,
        List.of(sizes),
        maxImages,
        batchTime,
        imageBytes,
        failureRate,
        crashRate,
        prefetch,
        seed);
  }

  public FakeBehaviour withBatch(int maxImages, Duration batchTime) {
    return new FakeBehaviour(
        model, sizes, maxImages, batchTime, imageBytes, failureRate, crashRate, prefetch, seed);
  }

  public FakeBehaviour withImageBytes(int imageBytes) {
    return new FakeBehaviour(
        model, sizes, maxImages, batchTime, imageBytes, failureRate, crashRate, prefetch, seed);
  }

  public FakeBehaviour withTroubles(double failureRate, double crashRate, long seed) {
    return new FakeBehaviour(
        model, sizes, maxImages, batchTime, imageBytes, failureRate, crashRate, prefetch, seed);
  }

  public FakeBehaviour withPrefetch(int prefetch) {
    return new FakeBehaviour(
        model, sizes, maxImages, batchTime, imageBytes, failureRate, crashRate, prefetch, seed);
  }
}
