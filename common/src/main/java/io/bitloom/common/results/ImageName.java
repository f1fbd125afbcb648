package io.bitloom.common.results;

import com.google.protobuf.ByteString;
import io.bitloom.v1.ImageFormat;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Where an image is kept. The name follows from what the image is, digest included: storing the
 * same image again overwrites it with itself, and another attempt's different image can never
 * replace one that a result already names.
 *
 * @param job identity of the job; may be any text
 * @param offset the prompt's offset in the job
 * @param index the image's index within the prompt
 * @param format the file's format
 * @param sha256 digest of the file, 32 bytes
 */
public record ImageName(String job, long offset, int index, ImageFormat format, ByteString sha256) {

  private static final int IMAGES_PER_FOLDER = 1000;
  private static final int DIGEST_CHARACTERS = 16;

  /** Kept as they are; ids of another form could escape the folder or differ by case only. */
  private static final Pattern PLAIN_JOB = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

  /** The folder of a job: {@code 5f/job-1}. */
  public static String folder(String job) {
    String digest = HexFormat.of().formatHex(sha256(job.getBytes(StandardCharsets.UTF_8)));
    String name = PLAIN_JOB.matcher(job).matches() ? job : "h_" + digest;
    return digest.substring(0, 2) + "/" + name;
  }

  /** The name with {@code /} between folders: {@code 5f/job-1/12/12345-0-0123456789abcdef.png}. */
  public String path() {
    String digest = HexFormat.of().formatHex(sha256.toByteArray());
    return String.format(
        Locale.ROOT,
        "%s/%d/%d-%d-%s.%s",
        folder(job),
        offset / IMAGES_PER_FOLDER,
        offset,
        index,
        digest.substring(0, DIGEST_CHARACTERS),
        extension(format));
  }

  /** The usual ending of a file of this format, without the dot. */
  public static String extension(ImageFormat format) {
    return switch (format) {
      case IMAGE_FORMAT_PNG -> "png";
      case IMAGE_FORMAT_JPEG -> "jpg";
      case IMAGE_FORMAT_WEBP, IMAGE_FORMAT_WEBP_LOSSLESS -> "webp";
      case IMAGE_FORMAT_UNSPECIFIED, UNRECOGNIZED ->
          throw new IllegalArgumentException("not an image format: " + format);
    };
  }

  /** The SHA-256 digest of some bytes, 32 bytes. */
  static byte[] sha256(byte[] bytes) {
    return newSha256().digest(bytes);
  }

  /** The SHA-256 digest of some bytes, 32 bytes. */
  public static ByteString sha256(ByteString bytes) {
    MessageDigest digest = newSha256();
    bytes.asReadOnlyByteBufferList().forEach(digest::update);
    return ByteString.copyFrom(digest.digest());
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
