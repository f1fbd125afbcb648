package io.bitloom.loadtests.autoscale;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What Kubernetes makes of a metric: the HorizontalPodAutoscaler of {@code autoscaling/v2} for an
 * external metric with an {@code AverageValue} of 1, and KEDA, which goes between none and one
 * worker.
 */
final class PodAutoscaler {

  private static final double TOLERANCE = 0.1;

  /**
   * How it is set.
   *
   * @param cooldownSeconds KEDA's {@code cooldownPeriod}
   * @param stabilizationSeconds {@code scaleDown.stabilizationWindowSeconds}; that of {@code
   *     scaleUp} is 0
   * @param upPercent {@code scaleUp} policy of type Percent, of 15 s; beside it one of 4 pods
   * @param downPercent {@code scaleDown} policy of type Percent, of 15 s
   */
  record Settings(int cooldownSeconds, int stabilizationSeconds, int upPercent, int downPercent) {

    /** KEDA's and Kubernetes' own. */
    static final Settings USUAL = new Settings(300, 300, 100, 100);

    /** Those of the ScaledObject in the docs. */
    static final Settings OURS = new Settings(60, 0, 900, 100);
  }

  private static final int MIN_PODS = 4;

  private record Recommendation(int seconds, int replicas) {}

  private final Settings settings;
  private final int most;
  private final Deque<Recommendation> recommended = new ArrayDeque<>();
  private int lastActive;

  PodAutoscaler(Settings settings, int most) {
    this.settings = settings;
    this.most = most;
  }

  /** Replicas after a look of KEDA's, which starts the first one and ends the last one. */
  int activated(int seconds, int replicas, boolean active) {
    if (active) {
      lastActive = seconds;
      return Math.max(1, replicas);
    }
    return seconds - lastActive >= settings.cooldownSeconds() ? 0 : replicas;
  }

  /** Replicas after a look of the HPA, which does nothing where there are none. */
  int synced(int seconds, int replicas, double metric) {
    if (replicas == 0) {
      recommended.clear();
      return 0;
    }
    double ratio = metric / replicas;
    boolean asItIs = ratio >= 1 - TOLERANCE && ratio <= 1 + TOLERANCE;
    int wanted = asItIs ? replicas : (int) Math.ceil(metric);
    wanted = Math.max(1, Math.min(most, wanted));
    recommended.addLast(new Recommendation(seconds, wanted));
    while (recommended.getFirst().seconds() < seconds - settings.stabilizationSeconds()) {
      recommended.removeFirst();
    }
    if (wanted > replicas) {
      int byPercent = (int) Math.ceil(replicas * (1 + settings.upPercent() / 100.0));
      return Math.min(wanted, Math.max(byPercent, replicas + MIN_PODS));
    }
    int stable = recommended.stream().mapToInt(Recommendation::replicas).max().orElse(wanted);
    int floor = (int) Math.floor(replicas * (1 - settings.downPercent() / 100.0));
    return Math.min(replicas, Math.max(floor, stable));
  }
}
