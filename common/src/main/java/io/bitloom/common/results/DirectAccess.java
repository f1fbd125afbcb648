package io.bitloom.common.results;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;

/**
 * A result store that others can reach over HTTP, without credentials of their own. Errors are
 * those of {@link ResultStore}.
 */
public interface DirectAccess {

  /** Where somebody may put this very image, a file of this size with the name's digest. */
  ImageUpload upload(ImageName name, long sizeBytes);

  /**
   * Checks an image that somebody else has put there; blocks.
   *
   * @throws io.bitloom.common.error.BitloomException {@code RESULT_MISSING} if there is none,
   *     {@code RESULT_CORRUPT} if it has another size or digest
   */
  void confirm(ImageName name, long sizeBytes);

  /**
   * Where an image can be fetched for an hour. Whether it is there is not looked at.
   *
   * @param path what {@link ResultStore#put} returned
   */
  URI download(String path);

  /** What is in a file. */
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Writes a file beside the images of a job, in the place of one of that name; a reader never sees
   * a part of it. It goes when the job's images do. Blocks.
   *
   * @param content may be of any length; an {@link IOException} of its own counts as one of the
   *     store's
   * @return where it is, {@code s3://BUCKET/KEY}
   */
  String write(String job, String name, String contentType, Content content);
}
