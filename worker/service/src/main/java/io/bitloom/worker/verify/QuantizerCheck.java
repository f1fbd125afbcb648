package io.bitloom.worker.verify;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.codes.BinarySphericalQuantizer;
import io.bitloom.engine.codes.Bits;
import io.bitloom.engine.codes.ResidualQuantizer;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Checks {@code quantizer*}: bits, sums and their views at the next scale (by area, which the
 * transformer does not see), codes from integer and bit labels, and one scale with its statistics.
 */
final class QuantizerCheck implements FixtureCheck {
  private static final double CODES = 1e-5;

  @Override
  public void check(Fixture fixture, FileReport report) {
    JsonFields cases = fixture.structure("cases");
    for (String name : cases.names()) {
      report.testCase(
          name, found -> checkCase(fixture, cases.object(name), fixture.tensors(name), found));
    }
    if (!fixture.tensors("indices_to_codes").names().isEmpty()) {
      report.testCase(
          "indices_to_codes", found -> checkLabels(fixture.tensors("indices_to_codes"), found));
    }
    if (!fixture.tensors("single").names().isEmpty()) {
      report.testCase("single", found -> checkSingle(fixture.tensors("single"), found));
    }
  }

  private static void checkCase(
      Fixture fixture, JsonFields settings, Weights expected, CaseReport found) {
    List<Scale> scales = Fixture.scales(settings, "scale_schedule");
    var quantizer = ResidualQuantizer.ofBits(settings.integer("codebook_dim"));
    var encoding = quantizer.encode(expected.get("features"), scales);
    for (int k = 0; k < scales.size(); k++) {
      found.equal("bits/" + k, encoding.digits().get(k).unsqueeze(1), expected.get("bits/" + k));
    }
    double tolerance = fixture.tolerance("codes_abs", CODES);
    found.close("quantized_sum", encoding.summedCodes(), expected.get("quantized_sum"), tolerance);
    found.close(
        "sum of the codes of the bits",
        quantizer.sum(encoding.digits()),
        expected.get("quantized_sum"),
        tolerance);
    for (int k = 0; k + 1 < scales.size(); k++) {
      String name = "var_inputs_area/" + k;
      Scale next = scales.get(k + 1);
      Tensor input = Resize.area(encoding.sums().get(k), next.height(), next.width());
      found.close(name, input.unsqueeze(2), expected.get(name), tolerance);
    }
    expected
        .find("summed_codes_from_bits")
        .ifPresent(
            sum ->
                found.close(
                    "summed_codes_from_bits",
                    quantizer.sum(encoding.digits()).unsqueeze(2),
                    sum,
                    tolerance));
    expected.find("aux_losses").ifPresent(losses -> checkZero("aux_losses", losses, found));
  }

  private static void checkLabels(Weights expected, CaseReport found) {
    Tensor bits = expected.get("bit_label").squeeze(1); // (B, h, w, d)
    int d = Math.toIntExact(bits.size(-1));
    var quantizer = new BinarySphericalQuantizer(d);
    found.close(
        "bit_label_codes",
        quantizer.codes(bits).unsqueeze(2),
        expected.get("bit_label_codes"),
        CODES);
    Tensor labels = expected.get("int_label").squeeze(1); // (B, h, w)
    Tensor bitsOfLabels = Bits.ofLabels(labels, d); // (B, h, w, d)
    found.close(
        "int_label_codes",
        quantizer.codes(bitsOfLabels).unsqueeze(2),
        expected.get("int_label_codes"),
        CODES);
    found.equal("int_label from its bits", Bits.labels(bitsOfLabels), labels);
  }

  private static void checkSingle(Weights expected, CaseReport found) {
    Tensor features = expected.get("features"); // (B, d, h, w)
    var quantizer = new BinarySphericalQuantizer(Math.toIntExact(features.size(1)));
    Tensor bits = quantizer.digits(features);
    found.equal("bits", bits.unsqueeze(1), expected.get("bits"));
    found.close("quantized", quantizer.codes(bits).unsqueeze(2), expected.get("quantized"), CODES);
    var quantized = quantizer.quantize(features);
    Tensor one = quantizer.probabilities(features).mean(0L); // (d)
    Tensor average = torch.stack(new TensorVector(Tensors.plus(one.neg(), 1), one), -1); // (d, 2)
    compare("soft_per_sample_entropy", quantized.tokenEntropy(), expected, found);
    compare("soft_codebook_entropy", quantized.codebookEntropy(), expected, found);
    compare("soft_avg_prob", average, expected, found);
    compare("mse_normalised_input_vs_quantized", quantized.commitment(), expected, found);
    checkZero("aux_loss_train_mode", expected.get("aux_loss_train_mode"), found);
  }

  private static void compare(String name, Tensor computed, Weights expected, CaseReport found) {
    Tensor value = expected.get(name);
    found.close(name, computed.reshape(value.shape()), value, CODES);
  }

  /** The reference leaves its auxiliary loss at 0; there is nothing of ours to compare. */
  private static void checkZero(String name, Tensor losses, CaseReport found) {
    found.close(name, Tensors.zeros(DType.F32, Fixture.DEVICE, losses.shape()), losses, CODES);
  }
}
