package io.bitloom.coordinator.results;

import com.google.protobuf.ByteString;
import io.bitloom.common.results.ImageUpload;
import java.io.InputStream;
import java.net.URI;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Keeps files of models by their SHA-256 in hexadecimal, so that the same file is kept once. Calls
 * block. They throw {@link io.bitloom.common.error.BitloomException} with {@code
 * RESULT_STORE_UNAVAILABLE} when the storage fails. A file is there as a whole and with the right
 * digest, or not at all.
 */
public interface BlobStore {

  /** Size of a file in bytes; empty if it is not there. */
  OptionalLong size(String sha256);

  /**
   * Reads a file from an offset on. Fails with {@code RESULT_MISSING} if it is not there.
   *
   * @param offset at most its size
   */
  InputStream read(String sha256, long offset);

  /**
   * Looks whether a file is there and right, at little cost where the store has looked before.
   *
   * @throws io.bitloom.common.error.BitloomException {@code RESULT_MISSING}, or {@code
   *     RESULT_CORRUPT} if it has another size or digest
   */
  void confirm(String sha256, long sizeBytes);

  /** Every file that is there, in whole or in part. */
  Collection<String> all();

  /** Removes a file; without effect if it is not there. */
  void delete(String sha256);

  /** How others get at files by themselves; empty if all bytes have to pass through here. */
  Optional<Urls> urls();

  /** How files are brought in pieces; empty if they are put to {@link #urls}. */
  Optional<Pieces> pieces();

  /** Leave for others to read and write files over HTTP. */
  interface Urls {

    /** Where somebody may put this very file. */
    ImageUpload upload(String sha256, long sizeBytes);

    /** Where a file can be fetched for an hour. */
    URI download(String sha256);
  }

  /** Files that come piece by piece, by several calls if need be. */
  interface Pieces {

    /** How many bytes of a file that is not whole are there. */
    long received(String sha256);

    /**
     * Writes a piece.
     *
     * @param offset at most {@link #received}
     * @throws io.bitloom.common.error.BitloomException {@code OFFSET_OUT_OF_RANGE} if that leaves a
     *     gap
     */
    void write(String sha256, long offset, ByteString piece);

    /**
     * Makes a file of its pieces.
     *
     * @throws io.bitloom.common.error.BitloomException {@code INVALID_FIELD} if size or digest
     *     differ; the pieces are gone then
     */
    void finish(String sha256, long sizeBytes);

    /** How many bytes there is room for. */
    long room();
  }
}
