package io.bitloom.worker.verify;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.model.BitLoss;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Checks {@code transformer_train*}: the teacher-forced pass, its losses, gradients and a step. */
final class TrainCheck implements FixtureCheck {
  private static final String KIND = "transformer_train_";

  private static final double LOGITS_TOLERANCE = 3e-4;
  private static final double TOKEN_LOSS_TOLERANCE = 1e-4;
  private static final double LOSS_TOLERANCE = 1e-5;
  private static final double WEIGHT_TOLERANCE = 1e-7;

  @Override
  public void check(Fixture fixture, FileReport report) {
    try (Models models = new Models(fixture, KIND, DType.F32)) {
      JsonFields cases = fixture.structure("cases");
      for (String name : cases.names()) {
        report.testCase(name, found -> checkCase(fixture, models, name, cases.object(name), found));
      }
    }
  }

  private static void checkCase(
      Fixture fixture, Models models, String name, JsonFields settings, CaseReport found) {
    Weights expected = fixture.tensors(name);
    ModelInputs inputs = new ModelInputs(settings, expected, found);
    try (Models.Trainable trainable = models.trainable(settings)) {
      Tensor logits =
          trainable
              .model()
              .forward(
                  inputs.prompts(),
                  inputs.dropped(),
                  expected.get("x_BLC_wo_prefix"),
                  inputs.scales()); // (B, L, 2d)
      compareLogits(fixture, expected, logits, found);
      compareLosses(fixture, expected, logits, inputs.scales(), found).backward();
      new OptimizerStepCheck(fixture, name, trainable.weights(), found).check();
    }
  }

  private static void compareLogits(
      Fixture fixture, Weights expected, Tensor logits, CaseReport found) {
    double tolerance = fixture.tolerance("logits_abs", LOGITS_TOLERANCE);
    if (expected.has("logits")) {
      found.close("logits", logits, expected.get("logits"), tolerance);
    }
    if (expected.has("logits_subset")) {
      Tensor tokens = expected.get("logits_subset_tokens");
      found.close(
          "logits_subset",
          logits.index_select(1, tokens),
          expected.get("logits_subset"),
          tolerance);
    }
  }

  /** Compares all losses and returns the one that gradients are taken of. */
  private static Tensor compareLosses(
      Fixture fixture, Weights expected, Tensor logits, List<Scale> scales, CaseReport found) {
    Tensor perBit = BitLoss.perBit(logits, expected.get("gt_bits")); // (B, L, d)
    Tensor perToken = perBit.mean(-1); // (B, L)
    double[] reweighted = BitLoss.reweighted(scales);
    found.close(
        "loss_token_mean_over_bits",
        perToken,
        expected.get("loss_token_mean_over_bits"),
        fixture.tolerance("loss_token_abs", TOKEN_LOSS_TOLERANCE));
    found.close(
        "loss_weights",
        Tensors.of(reweighted, reweighted.length),
        expected.get("loss_weights"),
        WEIGHT_TOLERANCE);
    double relative = fixture.tolerance("losses_rel", LOSS_TOLERANCE);
    Tensor loss = BitLoss.total(perToken, reweighted);
    compareLoss("loss_reweighted", loss, expected, relative, found);
    compareLoss(
        "loss_unweighted",
        BitLoss.total(perToken, BitLoss.uniform(scales)),
        expected,
        relative,
        found);
    compareLoss(
        "loss_bitsum_reweighted",
        BitLoss.total(perBit.sum(-1), reweighted),
        expected,
        relative,
        found);
    return loss;
  }

  private static void compareLoss(
      String name, Tensor computed, Weights expected, double relative, CaseReport found) {
    double value = Tensors.doubles(expected.get(name, 1))[0];
    double error = Math.abs(Tensors.doubles(computed)[0] - value) / Math.abs(value);
    found.measure(name, error, relative);
  }
}
