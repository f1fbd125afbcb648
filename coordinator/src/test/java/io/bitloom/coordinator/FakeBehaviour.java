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
 * @param prefetch how many batches it asks for ahead
 * @param oneByOne every outcome is a message of its own, as images are that become ready one by one
 * @param pool of which it says that it is; empty: it says nothing
 * @param secondsPerImage that it says an image takes; 0: it says nothing
 */
public record FakeBehaviour(
    String model,
    List<String> sizes,
    int maxImages,
    Duration batchTime,
    int imageBytes,
    int prefetch,
    boolean oneByOne,
    String pool,
    double secondsPerImage,
    Troubles troubles) {

  /**
   * What goes wrong by itself.
   *
   * @param failureRate share of prompts that fail in a way that another attempt can mend
   * @param refusalRate share of prompts that can never be drawn, the same ones in every run
   * @param crashRate share of batches in which it drops its connection and forgets all it holds
   * @param seed of failures and crashes
   */
  public record Troubles(double failureRate, double refusalRate, double crashRate, long seed) {

    public static final Troubles NONE = new Troubles(0, 0, 0, 1);
  }

  public static final FakeBehaviour DEFAULT =
      new FakeBehaviour(
          "fake",
          List.of("0.06M", "0.25M"),
          8,
          Duration.ofMillis(10),
          200,
          2,
          false,
          "",
          0,
          Troubles.NONE);

  public FakeBehaviour withModel(String model, String... sizes) {
    return new FakeBehaviour(
        model,
        List.of(sizes),
        maxImages,
        batchTime,
        imageBytes,
        prefetch,
        oneByOne,
        pool,
        secondsPerImage,
        troubles);
  }

  public FakeBehaviour withBatch(int maxImages, Duration batchTime) {
    return new FakeBehaviour(
        model,
        sizes,
        maxImages,
        batchTime,
        imageBytes,
        prefetch,
        oneByOne,
        pool,
        secondsPerImage,
        troubles);
  }

  public FakeBehaviour withImageBytes(int imageBytes) {
    return new FakeBehaviour(
        model,
        sizes,
        maxImages,
        batchTime,
        imageBytes,
        prefetch,
        oneByOne,
        pool,
        secondsPerImage,
        troubles);
  }

  public FakeBehaviour withTroubles(double failureRate, double crashRate, long seed) {
    return with(new Troubles(failureRate, troubles.refusalRate(), crashRate, seed));
  }

  public FakeBehaviour with(Troubles troubles) {
    return new FakeBehaviour(
        model,
        sizes,
        maxImages,
        batchTime,
        imageBytes,
        prefetch,
        oneByOne,
        pool,
        secondsPerImage,
        troubles);
  }

  public FakeBehaviour withPrefetch(int prefetch) {
    return new FakeBehaviour(
        model,
        sizes,
        maxImages,
        batchTime,
        imageBytes,
        prefetch,
        oneByOne,
        pool,
        secondsPerImage,
        troubles);
  }

  public FakeBehaviour withOneByOne(boolean oneByOne) {
    return new FakeBehaviour(
        model,
        sizes,
        maxImages,
        batchTime,
        imageBytes,
        prefetch,
        oneByOne,
        pool,
        secondsPerImage,
        troubles);
  }

  public FakeBehaviour withPool(String pool, double secondsPerImage) {
    return new FakeBehaviour(
        model,
        sizes,
        maxImages,
        batchTime,
        imageBytes,
        prefetch,
        oneByOne,
        pool,
        secondsPerImage,
        troubles);
  }
}
