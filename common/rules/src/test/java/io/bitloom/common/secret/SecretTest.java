package io.bitloom.common.secret;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SecretTest {

  @Test
  void aSecretIsReadBackFromItsTextAndFromNoOther() {
    Secret secret = Secret.draw();
    assertEquals(Optional.of(secret), Secret.parse(secret.text()));
    assertNotEquals(secret, Secret.draw());
    String text = secret.text();
    assertTrue(secret.is(text));
    String rest = text.substring(1);
    for (String bad : List.of("", rest, text + "a", " " + rest, ".".repeat(22))) {
      assertEquals(Optional.empty(), Secret.parse(bad), bad);
      assertFalse(secret.is(bad));
    }
  }

  @Test
  void itDoesNotGetIntoLogs() {
    Secret secret = Secret.draw();
    assertFalse(("kept: " + secret).contains(secret.text()));
  }
}
