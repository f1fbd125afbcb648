package io.bitloom.worker.verify;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.codes.BitwiseSelfCorrection;
import io.bitloom.engine.codes.ResidualQuantizer;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** Checks {@code bsc*}: the transformer's inputs and labels for given flips. */
final class SelfCorrectionCheck implements FixtureCheck {
  private static final double INPUTS = 1e-5;
  private static final double STRENGTH_STEP = 0.01;

  @Override
  public void check(Fixture fixture, FileReport report) {
    JsonFields cases = fixture.structure("cases");
    for (String name : cases.names()) {
      report.testCase(
          name, found -> checkCase(fixture, cases.object(name), fixture.tensors(name), found));
    }
  }

  private static void checkCase(
      Fixture fixture, JsonFields settings, Weights expected, CaseReport found) {
    var quantizer = ResidualQuantizer.ofBits(settings.integer("codebook_dim"));
    boolean patchify = settings.integer("apply_spatial_patchify") != 0;
    int layers = settings.integer("noise_apply_layers");
    // Without requantisation the reference flips nothing that is ever looked at.
    boolean requantize = settings.integer("noise_apply_requant") != 0;
    var correction =
        new BitwiseSelfCorrection(
            quantizer, new BitwiseSelfCorrection.Config(requantize ? layers : 0, true, patchify));
    List<Scale> scales = Fixture.scales(settings, "vae_scale_schedule");
    List<Scale> tokens = Fixture.scales(settings, "scale_schedule");
    found.equal(
        "scales of the tokenizer",
        patchify ? tokens.stream().map(Scale::doubled).toList() : tokens,
        scales);
    // Looked up here and not on demand: without requantisation the flips are not asked for.
    List<Tensor> masks =
        IntStream.range(0, Math.min(layers, scales.size()))
            .mapToObj(k -> expected.get("flip_mask/" + k).squeeze(1))
            .toList();
    var sample =
        correction.correct(expected.get("features"), scales, (scale, bits) -> masks.get(scale));
    found.equal("gt_bits", sample.labels(), expected.get("gt_bits"));
    found.close(
        "x_BLC_wo_prefix",
        sample.inputs(),
        expected.get("x_BLC_wo_prefix"),
        fixture.tolerance("x_BLC_wo_prefix_abs", INPUTS));
    expected
        .find("strength")
        .ifPresent(
            strength -> checkStrength(strength, settings.number("noise_apply_strength"), found));
  }

  /** The strengths were drawn by the rule that ours follow: multiples of 0.01 up to the largest. */
  private static void checkStrength(Tensor drawn, double largest, CaseReport found) {
    double error = 0;
    for (double strength : Tensors.doubles(drawn)) {
      double nearest = Math.rint(strength / STRENGTH_STEP) * STRENGTH_STEP;
      error = Math.max(error, Math.abs(strength - nearest));
      error = Math.max(error, Math.max(-strength, strength - largest));
    }
    found.measure("strength is a multiple of 0.01 within range", error, 1e-6);
  }
}
