package io.bitloom.training.eval;

import io.bitloom.common.rules.SamplingParameters;
import java.util.List;

/**
 * A way to sample that prompts are drawn with; what it leaves open, the model's defaults say.
 *
 * @param name in reports
 */
public record SamplingVariant(String name, SamplingParameters sampling) {
  private static final double GUIDANCE = 3;

  /** What the ablation compares: the ways to sample that the paper compares. */
  public static List<SamplingVariant> ablation() {
    return List.of(
        new SamplingVariant("greedy", with(1).greedy(true).build()),
        new SamplingVariant("normal", with(1).build()),
        new SamplingVariant(
            "pyramid guidance",
            with(GUIDANCE).guidanceSchedule(SamplingParameters.GuidanceSchedule.PYRAMID).build()),
        new SamplingVariant(
            "guidance on features", with(GUIDANCE).guidanceLayers(List.of(-1)).build()),
        new SamplingVariant(
            "guidance on logits", with(GUIDANCE).guidanceLayers(List.of(0)).build()));
  }

  private static SamplingParameters.Builder with(double guidance) {
    return SamplingParameters.builder().guidance(guidance).temperature(1);
  }
}
