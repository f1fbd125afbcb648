package io.bitloom.common.net;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MaskedUriTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "redis://host:6379 redis://host:6379",
        "redis://user:password@host:6379/1 redis://***@host:6379/1",
        "redis://:p@host redis://***@host",
        "redis://user:p@ss/w@host redis://***@host",
        "redis://user:p/w@host redis://***@host",
        "redis://user:p://w@host redis://***@host",
        "redis://user:p?w#x@host redis://***@host",
        "redis-cluster://u:p@a:1@b:6379,c:6379 redis-cluster://***@b:6379,c:6379",
        "user:p@ss/w@host:6379 ***@host:6379",
        "redis:user:p@host ***@host",
        "/socket /socket"
      })
  void noPartOfAPasswordIsShown(String uri, String shown) {
    assertEquals(shown, MaskedUri.of(uri));
  }
}
