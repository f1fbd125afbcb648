package io.bitloom.coordinator.results;

import com.google.protobuf.ByteString;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.results.DirectAccess;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.results.ImageUpload;
import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.config.S3Config;
import io.bitloom.coordinator.s3.S3Clients;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.services.s3.presigner.model.PresignedPutObjectRequest;

/**
 * Images as objects of an S3 bucket, which any number of coordinators share. Workers upload by
 * signed requests that hold for one file: the signature covers its key, length and SHA-256, so the
 * store itself refuses any other bytes.
 */
public final class S3ResultStore implements ResultStore, DirectAccess, AutoCloseable {

  private static final Duration UPLOAD_TIME = Duration.ofMinutes(15);
  private static final Duration DOWNLOAD_TIME = Duration.ofHours(1);

  private static final RequestBody PROBE = RequestBody.fromString("bitloom");

  /** Larger objects are not ours: a result has to fit into a gRPC message. */
  private static final long MAX_BYTES = 64L << 20;

  private final S3Config config;
  private final S3Client s3;
  private final S3Presigner presigner;

  private S3ResultStore(S3Config config, S3Client s3, S3Presigner presigner) {
    this.config = config;
    this.s3 = s3;
    this.presigner = presigner;
  }

  /**
   * Connects, and tries the bucket with a small object.
   *
   * @throws ConfigException if there is no such bucket, no access to it, or no region
   * @throws BitloomException {@code RESULT_STORE_UNAVAILABLE} if it cannot be reached now
   */
  public static S3ResultStore open(S3Config config) {
    S3Client s3 = S3Clients.client(config.server());
    S3Presigner presigner = S3Clients.presigner(config.server());
    S3ResultStore store = new S3ResultStore(config, s3, presigner);
    try {
      store.tryOut();
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
    return store;
  }

  private void tryOut() {
    String key = config.prefix() + ".probe/" + UUID.randomUUID();
    atStart("look at", () -> s3.headBucket(bucket -> bucket.bucket(config.bucket())));
    atStart("write to", () -> s3.putObject(o -> o.bucket(config.bucket()).key(key), PROBE));
    atStart("read from", () -> s3.getObjectAsBytes(o -> o.bucket(config.bucket()).key(key)));
    atStart("delete from", () -> s3.deleteObject(o -> o.bucket(config.bucket()).key(key)));
    atStart("list", () -> s3.listObjectsV2(o -> o.bucket(config.bucket()).prefix(key)));
  }

  private void atStart(String what, Runnable call) {
    try {
      call.run();
    } catch (SdkException e) {
      throw S3Errors.atStart(config, what, e);
    }
  }

  @Override
  public String put(ImageName name, ByteString image) {
    String path = name.path();
    try {
      s3.putObject(
          object ->
              object
                  .bucket(config.bucket())
                  .key(key(path))
                  .contentType(contentType(name))
                  .checksumSHA256(base64(name.sha256())),
          RequestBody.fromContentProvider(image::newInput, image.size(), contentType(name)));
      return path;
    } catch (SdkException e) {
      throw S3Errors.unavailable("cannot store " + path, e);
    }
  }

  @Override
  public ByteString read(String path, ByteString sha256) {
    try (ResponseInputStream<GetObjectResponse> object =
        s3.getObject(get -> get.bucket(config.bucket()).key(key(path)))) {
      if (object.response().contentLength() > MAX_BYTES) {
        object.abort();
        throw corrupt(path);
      }
      ByteString image = ByteString.readFrom(object);
      if (!ImageName.sha256(image).equals(sha256)) {
        throw corrupt(path);
      }
      return image;
    } catch (SdkException e) {
      throw missingOrUnavailable("read", path, e);
    } catch (IOException e) {
      throw new BitloomException(
          ErrorCode.RESULT_STORE_UNAVAILABLE, "cannot read " + FieldViolation.shown(path), e);
    }
  }

  @Override
  public void delete(String job) {
    String prefix = key(ImageName.folder(job) + "/");
    try {
      ListObjectsV2Response page;
      do {
        page = s3.listObjectsV2(list -> list.bucket(config.bucket()).prefix(prefix));
        List<ObjectIdentifier> keys =
            page.contents().stream()
                .map(object -> ObjectIdentifier.builder().key(object.key()).build())
                .toList();
        if (!keys.isEmpty()) {
          delete(job, keys);
        }
      } while (Boolean.TRUE.equals(page.isTruncated()));
    } catch (SdkException e) {
      throw S3Errors.unavailable("cannot delete the results of " + FieldViolation.shown(job), e);
    }
  }

  private void delete(String job, List<ObjectIdentifier> keys) {
    DeleteObjectsResponse deleted =
        s3.deleteObjects(
            request ->
                request.bucket(config.bucket()).delete(some -> some.quiet(true).objects(keys)));
    if (deleted.hasErrors()) {
      throw new BitloomException(
          ErrorCode.RESULT_STORE_UNAVAILABLE,
          "cannot delete the results of "
              + FieldViolation.shown(job)
              + ": "
              + deleted.errors().get(0).code());
    }
  }

  @Override
  public Optional<DirectAccess> directAccess() {
    return Optional.of(this);
  }

  @Override
  public ImageUpload upload(ImageName name, long sizeBytes) {
    try {
      PresignedPutObjectRequest signed =
          presigner.presignPutObject(
              put ->
                  put.signatureDuration(UPLOAD_TIME)
                      .putObjectRequest(
                          object ->
                              object
                                  .bucket(config.bucket())
                                  .key(key(name.path()))
                                  .contentLength(sizeBytes)
                                  .contentType(contentType(name))
                                  .checksumSHA256(base64(name.sha256()))));
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
  public void confirm(ImageName name, long sizeBytes) {
    String path = name.path();
    HeadObjectResponse object;
    try {
      object =
          s3.headObject(
              head ->
                  head.bucket(config.bucket()).key(key(path)).checksumMode(ChecksumMode.ENABLED));
    } catch (SdkException e) {
      throw missingOrUnavailable("look at", path, e);
    }
    if (object.contentLength() != sizeBytes) {
      throw corrupt(path);
    }
    if (object.checksumSHA256() == null) {
      read(path, name.sha256()); // A server that keeps no checksums may not have compared one.
    } else if (!object.checksumSHA256().equals(base64(name.sha256()))) {
      throw corrupt(path);
    }
  }

  @Override
  public URI download(String path) {
    try {
      return uri(
          presigner
              .presignGetObject(
                  get ->
                      get.signatureDuration(DOWNLOAD_TIME)
                          .getObjectRequest(
                              object -> object.bucket(config.bucket()).key(key(path))))
              .url());
    } catch (SdkException e) {
      throw S3Errors.unavailable("cannot sign a download", e);
    }
  }

  @Override
  public String write(String job, String name, String contentType, Content content) {
    String path = ImageName.folder(job) + "/" + name;
    try (S3Upload upload = new S3Upload(s3, config.bucket(), key(path), contentType)) {
      content.writeTo(upload);
      upload.complete();
      return config.location() + path;
    } catch (SdkException e) {
      throw S3Errors.unavailable("cannot store " + path, e);
    } catch (IOException e) {
      throw new BitloomException(
          ErrorCode.RESULT_STORE_UNAVAILABLE, "cannot store " + FieldViolation.shown(path), e);
    }
  }

  private String key(String path) {
    return config.prefix() + path;
  }

  private static URI uri(URL url) {
    try {
      return url.toURI();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("the AWS SDK makes proper URLs", e);
    }
  }

  private static String base64(ByteString sha256) {
    return Base64.getEncoder().encodeToString(sha256.toByteArray());
  }

  private static String contentType(ImageName name) {
    String extension = ImageName.extension(name.format());
    return "image/" + (extension.equals("jpg") ? "jpeg" : extension);
  }

  private static BitloomException corrupt(String path) {
    return new BitloomException(
        ErrorCode.RESULT_CORRUPT,
        "the image is not what was stored: " + FieldViolation.shown(path));
  }

  private static BitloomException missingOrUnavailable(
      String what, String path, SdkException error) {
    return S3Errors.notFound(error)
        ? new BitloomException(
            ErrorCode.RESULT_MISSING, "the image is gone: " + FieldViolation.shown(path))
        : S3Errors.unavailable("cannot " + what + " " + FieldViolation.shown(path), error);
  }

  @Override
  public void close() {
    presigner.close();
    s3.close();
  }
}
