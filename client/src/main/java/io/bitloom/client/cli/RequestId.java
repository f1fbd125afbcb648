package io.bitloom.client.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Names a submission by all that makes its job: model, options, name and prompts. The same
 * submission again has the same name, and finds the job that it made. How a file writes its prompts
 * does not count.
 */
final class RequestId {

  private static final int DIGEST_BYTES = 16;

  private final MessageDigest prompts = sha256();

  /** Takes the next prompt of a file. */
  void add(Prompt prompt) {
    byte[] bytes = prompt.toByteArray();
    prompts.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
    prompts.update(bytes);
  }

  /** A digest of the prompts so far; none can be added after this. */
  ByteString promptsDigest() {
    return ByteString.copyFrom(prompts.digest());
  }

  /** The name of a submission. */
  static String of(Job job, ByteString promptsDigest) {
    MessageDigest sha256 = sha256();
    sha256.update(bytes(job));
    sha256.update(promptsDigest.asReadOnlyByteBuffer());
    return "submit-" + HexFormat.of().formatHex(sha256.digest(), 0, DIGEST_BYTES);
  }

  /** The same job always gives the same bytes, whatever the order of its labels. */
  private static byte[] bytes(Job job) {
    byte[] bytes = new byte[job.getSerializedSize()];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.useDeterministicSerialization();
    try {
      job.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
