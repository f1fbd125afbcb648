package io.bitloom.worker.verify;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.tensor.DrawRules;
import io.bitloom.engine.tensor.LibtorchKernels;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Checks {@code sampling*}: the distribution that bits or indices are drawn from. */
final class SamplingCheck implements FixtureCheck {
  private static final double TOLERANCE = 1e-6;

  @Override
  public void check(Fixture fixture, FileReport report) {
    JsonFields cases = fixture.structure("cases");
    for (String name : cases.names()) {
      report.testCase(name, found -> checkCase(cases.object(name), fixture.tensors(name), found));
    }
  }

  private static void checkCase(JsonFields settings, Weights tensors, CaseReport found) {
    Tensor logits = tensors.get("logits"); // (B, n, V)
    Tensor probs = tensors.get("probs");
    found.equal("V", Math.toIntExact(logits.size(-1)), settings.integer("V"));
    Tensor tempered = Tensors.times(logits, 1 / settings.number("tau"));
    DrawRules.Rule rule = new DrawRules.Rule(settings.integer("top_k"), settings.number("top_p"));
    Tensor computed =
        LibtorchKernels.probabilities(
            tempered, new DrawRules(List.of(rule), logits.size(-1), TorchDevice.CPU));
    found.close("probs", computed, probs, TOLERANCE);
  }
}
