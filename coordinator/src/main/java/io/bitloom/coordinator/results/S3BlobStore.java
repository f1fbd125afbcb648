package io.bitloom.coordinator.results;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.results.ImageUpload;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.services.s3.presigner.model.PresignedPutObjectRequest;

/**
 * Files as objects below {@code models/sha256/}. They are put by signed requests that hold for one
 * file: the signature covers key, length and SHA-256, so that the store itself refuses any other.
 */
public final class S3BlobStore implements BlobStore, BlobStore.Urls {

  private static final String FOLDER = "models/sha256/";
  private static final String TYPE = "application/octet-stream";
  private static final Duration UPLOAD_TIME = Duration.ofMinutes(15);
  private static final Duration DOWNLOAD_TIME = Duration.ofHours(1);

  private final String bucket;
  private final String prefix;
  private final S3Client s3;
  private final S3Presigner presigner;

  /**
   * @param prefix of all keys, with the slash at its end
   * @param s3 closed by its owner
   * @param presigner closed by its owner
   */
  S3BlobStore(String bucket, String prefix, S3Client s3, S3Presigner presigner) {
    this.bucket = bucket;
    this.prefix = prefix + FOLDER;
    this.s3 = s3;
    this.presigner = presigner;
  }

  @Override
  public OptionalLong size(String sha256) {
    try {
      return OptionalLong.of(head(sha256).contentLength());
    } catch (BitloomException e) {
      if (e.code() == ErrorCode.RESULT_MISSING) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }

  private HeadObjectResponse head(String sha256) {
    try {
      return s3.headObject(
          head -> head.bucket(bucket).key(key(sha256)).checksumMode(ChecksumMode.ENABLED));
    } catch (SdkException e) {
      throw missingOrUnavailable("look at", sha256, e);
    }
  }

  @Override
  public InputStream read(String sha256, long offset) {
    if (offset > 0 && offset >= size(sha256).orElse(offset + 1)) {
      return InputStream.nullInputStream(); // S3 refuses a range behind the end
    }
    try {
      return s3.getObject(
          get ->
              get.bucket(bucket)
                  .key(key(sha256))
                  .range(offset == 0 ? null : "bytes=" + offset + "-"));
    } catch (SdkException e) {
      throw missingOrUnavailable("read", sha256, e);
    }
  }

  @Override
  public void confirm(String sha256, long sizeBytes) {
    HeadObjectResponse object = head(sha256);
    if (object.contentLength() != sizeBytes) {
      throw corrupt(sha256);
    }
    // A server that keeps no checksums may not have compared one.
    boolean right =
        object.checksumSHA256() == null
            ? digestOf(sha256).equals(sha256)
            : object.checksumSHA256().equals(base64(sha256));
    if (!right) {
      throw corrupt(sha256);
    }
  }

  private String digestOf(String sha256) {
    try (InputStream in = read(sha256, 0)) {
      return DirectoryBlobStore.sha256(in);
    } catch (IOException e) {
      throw new BitloomException(
          ErrorCode.RESULT_STORE_UNAVAILABLE, "cannot read file " + sha256, e);
    }
  }

  private static BitloomException corrupt(String sha256) {
    return new BitloomException(
        ErrorCode.RESULT_CORRUPT, "file " + sha256 + " is not what it should be");
  }

  private static BitloomException missingOrUnavailable(
      String what, String sha256, SdkException error) {
    return S3Errors.notFound(error)
        ? new BitloomException(ErrorCode.RESULT_MISSING, "file " + sha256 + " is not there")
        : S3Errors.unavailable("cannot " + what + " file " + sha256, error);
  }

  @Override
  public Collection<String> all() {
    List<String> all = new ArrayList<>();
    try {
      s3.listObjectsV2Paginator(list -> list.bucket(bucket).prefix(prefix)).contents().stream()
          .map(S3Object::key)
          .map(key -> key.substring(prefix.length()))
          .filter(name -> name.matches("[0-9a-f]{64}"))
          .forEach(all::add);
      return all;
    } catch (SdkException e) {
      throw S3Errors.unavailable("cannot list files of models", e);
    }
  }

  @Override
  public void delete(String sha256) {
    try {
      s3.deleteObject(object -> object.bucket(bucket).key(key(sha256)));
    } catch (SdkException e) {
      throw S3Errors.unavailable("cannot delete file " + sha256, e);
    }
  }

  @Override
  public Optional<Urls> urls() {
    return Optional.of(this);
  }

  @Override
  public Optional<Pieces> pieces() {
    return Optional.empty();
  }

  @Override
  public ImageUpload upload(String sha256, long sizeBytes) {
    try {
      PresignedPutObjectRequest signed =
          presigner.presignPutObject(
              put ->
                  put.signatureDuration(UPLOAD_TIME)
                      .putObjectRequest(
                          object ->
                              object
                                  .bucket(bucket)
                                  .key(key(sha256))
                                  .contentLength(sizeBytes)
                                  .contentType(TYPE)
                                  .checksumSHA256(base64(sha256))));
      Map<String, String> headers = new HashMap<>();
      signed.signedHeaders().forEach((header, values) -> headers.put(header, values.get(0)));
      // Every HTTP client sets these two by itself.
      headers.keySet().removeIf(header -> header.matches("(?i)host|content-length"));
      return new ImageUpload(uri(signed.url()), headers);
    } catch (SdkException e) {
      throw S3Errors.unavailable("cannot sign an upload", e);
    }
  }

  @Override
  public URI download(String sha256) {
    try {
      return uri(
          presigner
              .presignGetObject(
                  get ->
                      get.signatureDuration(DOWNLOAD_TIME)
                          .getObjectRequest(object -> object.bucket(bucket).key(key(sha256))))
              .url());
    } catch (SdkException e) {
      throw S3Errors.unavailable("cannot sign a download", e);
    }
  }

  private static URI uri(URL url) {
    try {
      return url.toURI();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("the AWS SDK makes proper URLs", e);
    }
  }

  private String key(String sha256) {
    return prefix + sha256;
  }

  private static String base64(String sha256) {
    return Base64.getEncoder().encodeToString(HexFormat.of().parseHex(sha256));
  }
}
