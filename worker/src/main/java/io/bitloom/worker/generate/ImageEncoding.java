package io.bitloom.worker.generate;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.v1.DrawnText;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import io.bitloom.worker.image.JpegEncoder;
import io.bitloom.worker.image.PngEncoder;
import io.bitloom.worker.image.RgbImage;
import io.bitloom.worker.image.WebpEncoder;
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
public record ImageEncoding(String model, String digest, boolean describe) {
  private static final int JPEG_QUALITY = 95;
  private static final int WEBP_QUALITY = 90;
  private static final List<Integer> LOGITS_ALONE = List.of(0);

  /** The image, drawn from the prompt's own text, as results carry it, its bytes included. */
  public GeneratedImage encode(Prompt prompt, ScaleSchedule schedule, int index, RgbImage pixels) {
    return encode(prompt, DrawnText.getDefaultInstance(), schedule, index, pixels);
  }

  /** The image, drawn from whatever became of the prompt's text. */
  GeneratedImage encode(
      Prompt prompt, DrawnText drawn, ScaleSchedule schedule, int index, RgbImage pixels) {
    ImageFormat format = prompt.getFormat();
    byte[] file =
        switch (format) {
          case IMAGE_FORMAT_PNG ->
              PngEncoder.encode(
                  pixels, describe ? description(prompt, drawn, schedule, index) : Map.of());
          case IMAGE_FORMAT_JPEG ->
              JpegEncoder.encode(pixels, prompt.hasQuality() ? prompt.getQuality() : JPEG_QUALITY);
          case IMAGE_FORMAT_WEBP ->
              WebpEncoder.lossy(pixels, prompt.hasQuality() ? prompt.getQuality() : WEBP_QUALITY);
          case IMAGE_FORMAT_WEBP_LOSSLESS -> WebpEncoder.lossless(pixels);
          case IMAGE_FORMAT_UNSPECIFIED, UNRECOGNIZED ->
              throw new IllegalArgumentException("no encoder for " + format);
        };
    return GeneratedImage.newBuilder()
        .setIndex(index)
        .setWidth(pixels.width())
        .setHeight(pixels.height())
        .setFormat(format)
        .setSha256(sha256(file))
        .setSizeBytes(file.length)
        .setData(UnsafeByteOperations.unsafeWrap(file))
        .build();
  }

  private Map<String, String> description(
      Prompt prompt, DrawnText drawn, ScaleSchedule schedule, int index) {
    Map<String, String> text = new LinkedHashMap<>();
    text.put("Prompt", prompt.getPrompt());
    if (!drawn.getText().isEmpty()) {
      text.put("Drawn Text", drawn.getText());
    }
    if (!prompt.getNegativePrompt().isEmpty()) {
      text.put("Negative Prompt", prompt.getNegativePrompt());
    }
    text.put("Seed", Long.toString(prompt.getSeed()));
    text.put("Image Index", Integer.toString(index));
    text.put("Sampling", describe(prompt.getSampling()));
    text.put("Schedule", schedule.id());
    text.put("Model", model);
    text.put("Model Digest", digest);
    text.put("Software", "Bitloom");
    return text;
  }

  private static String describe(Sampling sampling) {
    String topK = sampling.getTopK() > 0 ? ", top_k " + sampling.getTopK() : "";
    String draws = sampling.getGreedy() ? ", greedy" : ", top_p " + sampling.getTopP() + topK;
    return "guidance "
        + joined(sampling.getGuidanceList())
        + (sampling.getGuidanceLayersList().equals(LOGITS_ALONE)
            ? ""
            : " at layers " + joined(sampling.getGuidanceLayersList()))
        + ", temperature "
        + joined(sampling.getTemperatureList())
        + draws;
  }

  private static String joined(List<?> values) {
    return values.stream().map(String::valueOf).collect(Collectors.joining(" "));
  }

  private static ByteString sha256(byte[] file) {
    try {
      return UnsafeByteOperations.unsafeWrap(MessageDigest.getInstance("SHA-256").digest(file));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
