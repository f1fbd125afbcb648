package io.bitloom.coordinator.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.lettuce.core.RedisURI;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedisAddressTest {

  private static final String HOSTILE = "secret@secret/secret?o=1#secret%secret";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "simple", "p@ss/w", "p/w", "a@b@c", "p://w", "p#w", "p?w", "50%", "p+w", "ü x", "[::1]"
      })
  void aPasswordMayBeWrittenAsItIs(String password) {
    RedisURI node = RedisAddress.parse("redis://user:" + password + "@host:6380/3").nodes().get(0);
    assertEquals("host", node.getHost());
    assertEquals(6380, node.getPort());
    assertEquals(3, node.getDatabase());
    var credentials = node.getCredentialsProvider().resolveCredentials().block();
    assertEquals("user", credentials.getUsername());
    assertEquals(password, new String(credentials.getPassword()));
  }

  @Test
  void anEncodedPasswordIsTakenAsBefore() {
    RedisURI node = RedisAddress.parse("redis://:p%40ss%2Fw@host").nodes().get(0);
    var credentials = node.getCredentialsProvider().resolveCredentials().block();
    assertEquals("p@ss/w", new String(credentials.getPassword()));
  }

  @Test
  void theNameOfAFileMayHaveAnAtSign(@TempDir Path folder) throws IOException {
    Path ca = Files.writeString(folder.resolve("a@b.pem"), "");
    for (String user : new String[] {"", "user:p@ss/w@"}) {
      RedisAddress address = RedisAddress.parse("rediss://" + user + "host:6379?ca=" + ca);
      assertEquals("host:6379", address.toString());
      assertEquals(ca, address.files().get("ca"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "redis://user:%s@host:99999999",
        "redis://user:%s@",
        "redis://user:%s@host?ca=/no/such/file",
        "redis://user:%s@host?cert=/dev/null",
        "redis-cluster://user:%s@a:1,"
      })
  void noMessageHasAPassword(String uri) {
    BitloomException e =
        assertThrows(BitloomException.class, () -> RedisAddress.parse(uri.replace("%s", HOSTILE)));
    assertTrue(e.getMessage().startsWith("redis must "), e.getMessage());
    assertFalse(e.getMessage().contains("secret"), e.getMessage());
    assertFalse(e.getMessage().contains("user"), e.getMessage());
  }
}
