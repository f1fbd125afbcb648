package io.bitloom.worker.eval;

import io.bitloom.v1.GuidanceSchedule;
import io.bitloom.v1.Sampling;
import java.util.List;

/**
 * A way to sample that prompts are drawn with; what it leaves open, the model's defaults say.
 *
 * @param name in reports
 */
public record SamplingVariant(String name, Sampling sampling) {
  private static final double GUIDANCE = 3;

  /** What the ablation compares: the ways to sample that the paper compares. */
  public static List<SamplingVariant> ablation() {
    return List.of(
        new SamplingVariant("greedy", with(1).setGreedy(true).build()),
        new SamplingVariant("normal", with(1).build()),
        new SamplingVariant(
            "pyramid guidance",
            with(GUIDANCE).setGuidanceSchedule(GuidanceSchedule.GUIDANCE_SCHEDULE_PYRAMID).build()),
        new SamplingVariant("guidance on features", with(GUIDANCE).addGuidanceLayers(-1).build()),
        new SamplingVariant("guidance on logits", with(GUIDANCE).addGuidanceLayers(0).build()));
  }

  private static Sampling.Builder with(double guidance) {
    return Sampling.newBuilder().addGuidance(guidance).addTemperature(1);
  }
}
