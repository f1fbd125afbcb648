package io.bitloom.common.results;

import com.google.protobuf.ByteString;
import java.util.Optional;

/**
 * Keeps images. Calls block. They throw {@link io.bitloom.common.error.BitloomException} with
 * {@code RESULT_STORE_UNAVAILABLE} when the storage fails, and no other exception.
 */
public interface ResultStore {

  /**
   * Stores an image whole or not at all; a reader never sees a part.
   *
   * @return the name to read it by, {@link ImageName#path()}
   */
  String put(ImageName name, ByteString image);

  /**
   * Reads an image and checks it.
   *
   * @param path what {@link #put} returned
   * @param sha256 the digest it must have
   * @throws io.bitloom.common.error.BitloomException {@code RESULT_MISSING} if there is none,
   *     {@code RESULT_CORRUPT} if it is not what was stored
   */
  ByteString read(String path, ByteString sha256);

  /** Removes all images of a job; without effect if there are none. */
  void delete(String job);

  /** How others get at images by themselves; empty if all bytes have to pass through here. */
  Optional<DirectAccess> directAccess();
}
