package io.bitloom.engine;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.SamplingParameters;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.image.JpegEncoder;
import io.bitloom.engine.image.PngEncoder;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.image.WebpEncoder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Writes pixels as files of the wanted format.
 *
 * @param model name of the model, for the PNG's text
 * @param digest digest of the model, for the PNG's text
 * @param describe whether PNG files carry what they were made from: prompt, seed, parameters, model
 */
record ImageEncoding(String model, String digest, boolean describe) {
  private static final int JPEG_QUALITY = 95;
  private static final int WEBP_QUALITY = 90;
  private static final List<Integer> LOGITS_ALONE = List.of(0);

  /** An image of a prompt as a file. */
  EncodedImage encode(PromptWork work, ScaleSchedule schedule, int index, RgbImage pixels) {
    ImagePrompt prompt = work.prompt();
    Integer quality = prompt.quality();
    byte[] file =
        switch (prompt.format()) {
          case PNG ->
              PngEncoder.encode(pixels, describe ? description(work, schedule, index) : Map.of());
          case JPEG -> JpegEncoder.encode(pixels, quality == null ? JPEG_QUALITY : quality);
          case WEBP -> WebpEncoder.lossy(pixels, quality == null ? WEBP_QUALITY : quality);
          case WEBP_LOSSLESS -> WebpEncoder.lossless(pixels);
        };
    return new EncodedImage(index, pixels, prompt.format(), file, sha256(file));
  }

  private Map<String, String> description(PromptWork work, ScaleSchedule schedule, int index) {
    ImagePrompt prompt = work.prompt();
    Map<String, String> text = new LinkedHashMap<>();
    text.put("Prompt", prompt.text());
    work.drawnText().ifPresent(drawn -> text.put("Drawn Text", drawn));
    if (!prompt.negativePrompt().isEmpty()) {
      text.put("Negative Prompt", prompt.negativePrompt());
    }
    text.put("Seed", Long.toString(prompt.seed()));
    text.put("Image Index", Integer.toString(index));
    text.put("Sampling", describe(prompt.sampling()));
    text.put("Schedule", schedule.id());
    text.put("Model", model);
    text.put("Model Digest", digest);
    text.put("Software", "Bitloom");
    return text;
  }

  private static String describe(SamplingParameters sampling) {
    Integer topK = sampling.topK();
    String draws =
        sampling.greedy()
            ? ", greedy"
            : ", top_p " + sampling.topP() + (topK == null || topK == 0 ? "" : ", top_k " + topK);
    return "guidance "
        + joined(sampling.guidance())
        + (sampling.guidanceLayers().equals(LOGITS_ALONE)
            ? ""
            : " at layers " + joined(sampling.guidanceLayers()))
        + ", temperature "
        + joined(sampling.temperature())
        + draws;
  }

  private static String joined(List<?> values) {
    return values.stream().map(String::valueOf).collect(Collectors.joining(" "));
  }

  private static byte[] sha256(byte[] file) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(file);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
