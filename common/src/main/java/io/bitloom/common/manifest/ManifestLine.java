package io.bitloom.common.manifest;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Timestamps;
import io.bitloom.common.prompt.PromptLine;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.PromptFailure;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Provenance;
import io.bitloom.v1.StageTimes;
import java.util.HexFormat;

/**
 * One line of {@code manifest.jsonl}: an image and how it came to be, or a prompt that failed.
 *
 * @param job resource name
 * @param offset of the prompt in the job
 * @param repeats what was to be drawn here first, if the job is a replay; null if it is not
 * @param status as in {@link OutcomeStatus}
 * @param index of the image among those of its prompt, from 0
 * @param images number of images of the prompt
 * @param file name in the folder of the manifest, {@code 12/12345-0-0123456789abcdef.png} in a
 *     result store
 * @param width pixels
 * @param height pixels
 * @param sizeBytes of the file
 * @param sha256 of the file, in hexadecimal digits
 * @param parameters the prompt with every default filled in, as a prompt line
 * @param drawnText what was drawn, where it is not the prompt's own text or was to be another one
 * @param schedule scale schedule, {@code 0.666_0.25M}
 * @param shape that was drawn, width to height: {@code 3:2}
 * @param modelDigest {@code sha256:} and the digest of the model's files
 * @param attempt how often the prompt was tried
 * @param batchImages images that shared the batch
 * @param times seconds that the batch spent in each stage
 * @param commitTime RFC 3339, by the queue's clock
 * @param reason why there is no image, in upper snake case
 * @param message why there is no image, for people
 * @param cursor place of the result, for going on later
 */
public record ManifestLine(
    String job,
    long offset,
    Repeated repeats,
    String customId,
    String status,
    Integer index,
    Integer images,
    String file,
    Integer width,
    Integer height,
    Long sizeBytes,
    String sha256,
    Long seed,
    JsonObject parameters,
    DrawnText drawnText,
    String schedule,
    String shape,
    String model,
    String modelDigest,
    String worker,
    int attempt,
    Integer batchImages,
    Times times,
    String commitTime,
    String reason,
    String message,
    String cursor) {

  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .disableHtmlEscaping()
          .create();

  /** A prompt of an earlier job. */
  public record Repeated(String job, long offset) {}

  /** What became of a prompt's text; a member that has nothing to say is left out. */
  public record DrawnText(
      String text, Boolean positivePrompt, String rewriter, String rewriteFailure) {}

  /** Seconds of each stage. */
  public record Times(double text, double transformer, double decode, double encode) {}

  /**
   * @param repeats null if the folder is that of the job itself
   */
  public static ManifestLine of(
      String job,
      Repeated repeats,
      PromptResult result,
      GeneratedImage image,
      String file,
      String cursor) {
    Provenance provenance = result.getProvenance();
    return new ManifestLine(
        job,
        result.getOffset(),
        repeats,
        result.getCustomId(),
        OutcomeStatus.SUCCEEDED,
        image.getIndex(),
        result.getImages().getImagesCount(),
        file,
        image.getWidth(),
        image.getHeight(),
        image.hasData() ? (long) image.getData().size() : image.getSizeBytes(),
        HexFormat.of().formatHex(image.getSha256().toByteArray()),
        provenance.getPrompt().getSeed(),
        parameters(provenance),
        drawnText(provenance),
        provenance.getSchedule(),
        shape(provenance),
        provenance.getModel(),
        provenance.getModelDigest(),
        emptyToNull(provenance.getWorker()),
        provenance.getAttempt(),
        provenance.getBatchImages(),
        times(provenance.getTimes()),
        Timestamps.toString(provenance.getCommitTime()),
        null,
        null,
        cursor);
  }

  /**
   * @param repeats null if the folder is that of the job itself
   */
  public static ManifestLine ofFailure(
      String job, Repeated repeats, PromptResult result, String cursor) {
    PromptFailure failure = result.getFailure();
    Provenance provenance = result.getProvenance();
    return new ManifestLine(
        job,
        result.getOffset(),
        repeats,
        result.getCustomId(),
        OutcomeStatus.of(result),
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        parameters(provenance),
        drawnText(provenance),
        provenance.getSchedule(),
        shape(provenance),
        provenance.getModel(),
        null,
        null,
        failure.getAttempts(),
        null,
        null,
        Timestamps.toString(provenance.getCommitTime()),
        failure.getReason(),
        failure.getMessage(),
        cursor);
  }

  /** Reads a line; throws {@link com.google.gson.JsonParseException} if it is none. */
  public static ManifestLine parse(String line) {
    return GSON.fromJson(line, ManifestLine.class);
  }

  public String toJson() {
    return GSON.toJson(this);
  }

  /** The job that the folder was made for. */
  public String folderJob() {
    return repeats == null ? job : repeats.job();
  }

  /** Offset of the prompt in the job that the folder was made for. */
  public int place() {
    return Math.toIntExact(repeats == null ? offset : repeats.offset());
  }

  public boolean succeeded() {
    return OutcomeStatus.SUCCEEDED.equals(status);
  }

  /** Whether this is the last line of its prompt. */
  public boolean endsPrompt() {
    return !succeeded() || index == images - 1;
  }

  /** What a parameter is, or empty. */
  public String parameter(String name) {
    return parameters != null && parameters.has(name) ? parameters.get(name).getAsString() : "";
  }

  private static JsonObject parameters(Provenance provenance) {
    return JsonParser.parseString(PromptLine.format(provenance.getPrompt())).getAsJsonObject();
  }

  private static String shape(Provenance provenance) {
    return ScaleSchedules.find(provenance.getSchedule()).map(ScaleSchedule::shape).orElse(null);
  }

  private static DrawnText drawnText(Provenance provenance) {
    if (!provenance.hasDrawnText()) {
      return null;
    }
    io.bitloom.v1.DrawnText drawn = provenance.getDrawnText();
    return new DrawnText(
        drawn.getText(),
        drawn.getPositivePrompt() ? true : null,
        emptyToNull(drawn.getRewriter()),
        emptyToNull(drawn.getRewriteFailure()));
  }

  private static String emptyToNull(String text) {
    return text.isEmpty() ? null : text;
  }

  private static Times times(StageTimes times) {
    return new Times(
        seconds(times.getText()),
        seconds(times.getTransformer()),
        seconds(times.getDecode()),
        seconds(times.getEncode()));
  }

  private static double seconds(Duration duration) {
    return duration.getSeconds() + duration.getNanos() / 1e9;
  }
}
