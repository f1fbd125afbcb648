package io.bitloom.client.output;

import com.google.protobuf.ByteString;
import io.bitloom.v1.DrawnText;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptFailure;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Provenance;
import io.bitloom.v1.ReadResultsResponse;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import javax.imageio.ImageIO;

/** Results as a coordinator sends them. */
final class Results {

  private Results() {}

  static ReadResultsResponse images(long offset, String customId, int count) {
    return images(offset, customId, "a cat", count, 64, 48);
  }

  static ReadResultsResponse images(
      long offset, String customId, String prompt, int count, int width, int height) {
    GeneratedImages.Builder images = GeneratedImages.newBuilder();
    for (int i = 0; i < count; i++) {
      ByteString png = png(offset + i, width, height);
      images.addImages(
          GeneratedImage.newBuilder()
              .setIndex(i)
              .setWidth(width)
              .setHeight(height)
              .setFormat(ImageFormat.IMAGE_FORMAT_PNG)
              .setSha256(sha256(png))
              .setSizeBytes(png.size())
              .setData(png));
    }
    return response(
        PromptResult.newBuilder()
            .setOffset(offset)
            .setCustomId(customId)
            .setImages(images)
            .setProvenance(
                Provenance.newBuilder()
                    .setModel("demo")
                    .setModelDigest("sha256:00")
                    .setDrawnText(DrawnText.newBuilder().setText("a fine cat").setRewriter("lm"))
                    .setPrompt(
                        Prompt.newBuilder()
                            .setCustomId(customId)
                            .setPrompt(prompt)
                            .setAspectRatio("4:3")
                            .setSize("0.06M")
                            .setSeed(offset)
                            .setNumImages(count))
                    .setSchedule("0.75_0.06M")
                    .setWorker("worker-1")
                    .setAttempt(1)));
  }

  static ReadResultsResponse failure(long offset, String customId) {
    return response(
        PromptResult.newBuilder()
            .setOffset(offset)
            .setCustomId(customId)
            .setFailure(
                PromptFailure.newBuilder()
                    .setReason("OUT_OF_MEMORY")
                    .setMessage("the image does not fit")
                    .setAttempts(3)));
  }

  private static ReadResultsResponse response(PromptResult.Builder result) {
    return ReadResultsResponse.newBuilder()
        .setResult(result)
        .setCursor("c" + result.getOffset())
        .build();
  }

  private static ByteString png(long seed, int width, int height) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D canvas = image.createGraphics();
    Color from = Color.getHSBColor(seed * 0.137f, 0.6f, 0.9f);
    Color to = Color.getHSBColor(seed * 0.137f + 0.3f, 0.8f, 0.5f);
    canvas.setPaint(new GradientPaint(0, 0, from, width, height, to));
    canvas.fillRect(0, 0, width, height);
    try (ByteArrayOutputStream bytes = new ByteArrayOutputStream()) {
      ImageIO.write(image, "png", bytes);
      return ByteString.copyFrom(bytes.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ByteString sha256(ByteString bytes) {
    try {
      return ByteString.copyFrom(MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
