package io.bitloom.coordinator.chores;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.prompt.PromptFileException;
import io.bitloom.coordinator.config.S3Server;
import io.bitloom.coordinator.jobs.ObjectName;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.coordinator.results.TestS3;
import io.bitloom.coordinator.s3.S3Clients;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.S3Client;

class ObjectBytesIT {

  private static final ObjectName NAME = new ObjectName(TestS3.BUCKET, "bytes");
  private static final int RANGE = 1000;
  private static final byte[] CONTENT = new byte[3 * RANGE + 17];

  private static TestS3 s3;
  private static S3Client client;

  private final Hold hold = new Hold(new Chores.Claim(Chores.Kind.INPUT, "job", 1));

  @BeforeAll
  static void start() throws Exception {
    s3 = TestS3.start();
    client = S3Clients.client(S3Server.of(s3.endpoint().toString(), "", true));
    new Random(1).nextBytes(CONTENT);
    s3.put("bytes", CONTENT);
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    s3.close();
  }

  private ObjectBytes open(String tag) throws IOException {
    return ObjectBytes.open(client, NAME, tag, hold, what -> {}, RANGE);
  }

  @Test
  void allRangesTogetherAreTheObject() throws IOException {
    ObjectBytes bytes = open("");
    assertEquals(CONTENT.length, bytes.size());
    assertArrayEquals(CONTENT, bytes.readAllBytes());
    assertEquals(CONTENT.length, bytes.position());
    assertEquals(-1, bytes.read());
  }

  @Test
  void aSkipLandsWhereItShould() throws IOException {
    for (int skip : new int[] {0, 1, 500, 999, 1000, 2500, CONTENT.length}) {
      ObjectBytes bytes = open("");
      assertEquals(CONTENT[0] & 0xFF, bytes.read());
      bytes.skipNBytes(Math.max(0, skip - 1));
      assertArrayEquals(
          Arrays.copyOfRange(CONTENT, Math.max(1, skip), CONTENT.length), bytes.readAllBytes());
    }
  }

  @Test
  void whatIsLeftIsSaidToBeThereSoThatNoPartOfACompressedObjectIsTakenForTheLast()
      throws IOException {
    ObjectBytes bytes = open("");
    bytes.readNBytes(RANGE);
    assertEquals(CONTENT.length - RANGE, bytes.available());
  }

  @Test
  void anotherObjectOfTheNameIsNotOpened() throws IOException {
    String message =
        assertThrows(PromptFileException.class, () -> open("\"another\"")).getMessage();
    assertTrue(message.contains("changed while it was read"), message);
    assertArrayEquals(CONTENT, open(open("").tag()).readAllBytes());
  }

  @Test
  void nothingIsReadWhenTheClaimIsOver() throws IOException {
    ObjectBytes bytes = open("");
    hold.end();
    assertThrows(Hold.OverException.class, bytes::readAllBytes);
  }
}
