package io.bitloom.coordinator;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** How a {@link FakeWorker} behaves. Does not change: {@code with…} makes another one. */
public final class FakeBehaviour {

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

  public static final FakeBehaviour DEFAULT = new FakeBehaviour();

  private String model = "fake";
  private List<String> sizes = List.of("0.06M", "0.25M");
  private int maxImages = 8;
  private Duration batchTime = Duration.ofMillis(10);
  private int imageBytes = 200;
  private int prefetch = 2;
  private boolean oneByOne;
  private String pool = "";
  private double secondsPerImage;
  private Troubles troubles = Troubles.NONE;

  private FakeBehaviour() {}

  private FakeBehaviour with(Consumer<FakeBehaviour> change) {
    FakeBehaviour copy = new FakeBehaviour();
    copy.model = model;
    copy.sizes = sizes;
    copy.maxImages = maxImages;
    copy.batchTime = batchTime;
    copy.imageBytes = imageBytes;
    copy.prefetch = prefetch;
    copy.oneByOne = oneByOne;
    copy.pool = pool;
    copy.secondsPerImage = secondsPerImage;
    copy.troubles = troubles;
    change.accept(copy);
    return copy;
  }

  public FakeBehaviour withModel(String model, String... sizes) {
    return with(
        copy -> {
          copy.model = model;
          copy.sizes = List.of(sizes);
        });
  }

  public FakeBehaviour withBatch(int maxImages, Duration batchTime) {
    return with(
        copy -> {
          copy.maxImages = maxImages;
          copy.batchTime = batchTime;
        });
  }

  public FakeBehaviour withImageBytes(int imageBytes) {
    return with(copy -> copy.imageBytes = imageBytes);
  }

  public FakeBehaviour withTroubles(double failureRate, double crashRate, long seed) {
    return with(new Troubles(failureRate, troubles.refusalRate(), crashRate, seed));
  }

  public FakeBehaviour with(Troubles troubles) {
    return with(copy -> copy.troubles = troubles);
  }

  public FakeBehaviour withPrefetch(int prefetch) {
    return with(copy -> copy.prefetch = prefetch);
  }

  public FakeBehaviour withOneByOne(boolean oneByOne) {
    return with(copy -> copy.oneByOne = oneByOne);
  }

  public FakeBehaviour withPool(String pool, double secondsPerImage) {
    return with(
        copy -> {
          copy.pool = pool;
          copy.secondsPerImage = secondsPerImage;
        });
  }

  /** The model that it announces. */
  public String model() {
    return model;
  }

  /** Size classes of the model. */
  public List<String> sizes() {
    return sizes;
  }

  /** Largest batch of every schedule. */
  public int maxImages() {
    return maxImages;
  }

  /** How long a batch takes. */
  public Duration batchTime() {
    return batchTime;
  }

  /** Size of an image. */
  public int imageBytes() {
    return imageBytes;
  }

  /** How many batches it asks for ahead. */
  public int prefetch() {
    return prefetch;
  }

  /** Whether every outcome is a message of its own, as images are that become ready one by one. */
  public boolean oneByOne() {
    return oneByOne;
  }

  /** Of which pool it says that it is; empty: it says nothing. */
  public String pool() {
    return pool;
  }

  /** How long it says that an image takes; 0: it says nothing. */
  public double secondsPerImage() {
    return secondsPerImage;
  }

  public Troubles troubles() {
    return troubles;
  }
}
