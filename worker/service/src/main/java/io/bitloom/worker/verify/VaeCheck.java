package io.bitloom.worker.verify;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.Pixels;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;

/** Checks {@code vae_*}: picture to features to bits to summed codes to picture. */
final class VaeCheck implements FixtureCheck {
  static final String KIND = "vae_";
  private static final double ACTIVATIONS = 1e-4;
  private static final double SUMS = 1e-5;
  private static final double PICTURE_STEP = 1;
  private static final double PICTURE_FRACTION = 1e-3;
  private static final Pattern DECODED_EVERY = Pattern.compile("decoded_every([1-9]\\d?)");

  @Override
  public void check(Fixture fixture, FileReport report) {
    JsonFields cases = fixture.structure("cases");
    Map<Weights, VisualTokenizer> tokenizers = new HashMap<>();
    try {
      for (String name : cases.names()) {
        JsonFields settings = cases.object(name);
        report.testCase(
            name,
            found -> {
              var model = fixture.weights(settings, KIND, "vae");
              VisualTokenizer tokenizer =
                  tokenizers.computeIfAbsent(
                      model.weights(),
                      weights -> new VisualTokenizer(TokenizerConfig.of(model.config()), weights));
              checkCase(tokenizer, fixture, settings, fixture.tensors(name), found);
            });
      }
    } finally {
      tokenizers.values().forEach(VisualTokenizer::close);
    }
  }

  private static void checkCase(
      VisualTokenizer tokenizer,
      Fixture fixture,
      JsonFields settings,
      Weights expected,
      CaseReport found) {
    tokenizer.unexpected().forEach(name -> found.fault("weights: " + name + " is unexpected"));
    List<Scale> scales = Fixture.scales(settings, "scale_schedule");
    long[] size = settings.integers("size_hw");
    Tensor picture = expected.get("image_u8");
    found.equal("height", picture.size(2), size[0]);
    found.equal("width", picture.size(3), size[1]);

    Tensor features = tokenizer.features(picture);
    found.close(
        "features",
        features,
        expected.get("features"),
        fixture.tolerance("features_abs", ACTIVATIONS));
    var encoding = tokenizer.quantizer().encode(features, scales);
    for (int k = 0; k < scales.size(); k++) {
      found.equal("bits/" + k, encoding.digits().get(k).unsqueeze(1), expected.get("bits/" + k));
    }
    found.close("z", encoding.summedCodes(), expected.get("z"), fixture.tolerance("z_abs", SUMS));

    checkDecoded(tokenizer.decode(encoding.summedCodes()), fixture, expected, found);
    if (!expected.at("act/").names().isEmpty()) {
      tokenizer.observe(
          picture,
          scales,
          (module, output) ->
              expected
                  .find("act/" + module)
                  .ifPresent(
                      activation -> found.close("act/" + module, output, activation, ACTIVATIONS)));
    }
  }

  private static void checkDecoded(
      Tensor unclamped, Fixture fixture, Weights expected, CaseReport found) {
    double tolerance = fixture.tolerance("decoded_abs", ACTIVATIONS);
    Tensor decoded = Tensors.clamp(unclamped, -1, 1);
    expected
        .find("decoded_unclamped")
        .ifPresent(it -> found.close("decoded_unclamped", unclamped, it, tolerance));
    expected.find("decoded").ifPresent(it -> found.close("decoded", decoded, it, tolerance));
    for (String name : expected.names()) {
      Matcher every = DECODED_EVERY.matcher(name);
      if (every.matches()) {
        int stride = Integer.parseInt(every.group(1));
        found.close(name, every(decoded, stride), expected.get(name), tolerance);
      }
    }
    found.picture(
        "decoded_u8",
        Pixels.toBytes(unclamped),
        expected.get("decoded_u8"),
        fixture.tolerance("decoded_u8_max_step", PICTURE_STEP),
        fixture.tolerance("decoded_u8_max_fraction_changed", PICTURE_FRACTION));
  }

  private static Tensor every(Tensor xBCHW, int stride) {
    LongOptional end = new LongOptional();
    return xBCHW.slice(2, end, end, stride).slice(3, end, end, stride);
  }
}
