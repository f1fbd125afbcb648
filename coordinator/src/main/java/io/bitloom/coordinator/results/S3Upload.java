package io.bitloom.coordinator.results;

import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

/**
 * An object that is written from front to back in bounded memory, and is there when it is complete
 * or not at all. A small one is stored at once, a large one in parts.
 */
final class S3Upload extends OutputStream {

  /** With the 10,000 parts that an object may have: 80 GB. S3 wants 5 MiB at least. */
  private static final int PART_BYTES = 8 << 20;

  private final S3Client s3;
  private final String bucket;
  private final String key;
  private final String contentType;
  private final byte[] part = new byte[PART_BYTES];
  private final List<CompletedPart> parts = new ArrayList<>();
  private int filled;
  private String id; // null as long as there is no part
  private boolean complete;

  S3Upload(S3Client s3, String bucket, String key, String contentType) {
    this.s3 = s3;
    this.bucket = bucket;
    this.key = key;
    this.contentType = contentType;
  }

  @Override
  public void write(int b) {
    if (filled == PART_BYTES) {
      sendPart();
    }
    part[filled++] = (byte) b;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    int done = 0;
    while (done < length) {
      if (filled == PART_BYTES) {
        sendPart();
      }
      int count = Math.min(length - done, PART_BYTES - filled);
      System.arraycopy(bytes, offset + done, part, filled, count);
      filled += count;
      done += count;
    }
  }

  private RequestBody body() {
    int length = filled;
    return RequestBody.fromContentProvider(
        () -> new ByteArrayInputStream(part, 0, length), length, contentType);
  }

  private void sendPart() {
    if (id == null) {
      abandonEarlier();
      id =
          s3.createMultipartUpload(
                  upload -> upload.bucket(bucket).key(key).contentType(contentType))
              .uploadId();
    }
    int number = parts.size() + 1;
    String tag =
        s3.uploadPart(
                upload -> upload.bucket(bucket).key(key).uploadId(id).partNumber(number), body())
            .eTag();
    parts.add(CompletedPart.builder().partNumber(number).eTag(tag).build());
    filled = 0;
  }

  /**
   * Whoever died while it wrote the same object has left parts that nobody sees and all pay for.
   */
  private void abandonEarlier() {
    try {
      for (MultipartUpload earlier :
          s3.listMultipartUploads(list -> list.bucket(bucket).prefix(key)).uploads()) {
        if (earlier.key().equals(key)) {
          abort(earlier.uploadId());
        }
      }
    } catch (SdkException e) {
      // They may not be listed here; a rule of the bucket has to clear them away.
    }
  }

  /** Makes the object visible, in the place of one of that name. */
  void complete() {
    if (id == null) {
      s3.putObject(put -> put.bucket(bucket).key(key).contentType(contentType), body());
    } else {
      sendPart();
      s3.completeMultipartUpload(
          upload ->
              upload.bucket(bucket).key(key).uploadId(id).multipartUpload(all -> all.parts(parts)));
    }
    complete = true;
  }

  private void abort(String upload) {
    s3.abortMultipartUpload(abort -> abort.bucket(bucket).key(key).uploadId(upload));
  }

  /** Leaves nothing of an object that is not complete. */
  @Override
  public void close() {
    if (!complete && id != null) {
      abort(id);
    }
  }
}
