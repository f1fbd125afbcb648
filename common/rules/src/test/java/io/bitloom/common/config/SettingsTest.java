package io.bitloom.common.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {

  @ParameterizedTest
  @CsvSource({"250ms,250", "1.5s,1500", "10m,600000", "2h,7200000", "7d,604800000", "0s,0"})
  void durationsHaveAUnit(String text, long millis) {
    assertEquals(Duration.ofMillis(millis), Settings.duration("key", text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "10", "ten s", "-1s", "1 s", "1e3s", "99999999999s", "1s2"})
  void whatIsNoDurationIsNamedWithItsKey(String text) {
    ConfigException error =
        assertThrows(ConfigException.class, () -> Settings.duration("lease-duration", text));
    assertEquals(
        "lease-duration must be a duration such as 250ms, 1.5s, 10m or 2h, not \"" + text + "\"",
        error.getMessage());
  }

  @Test
  void aValueOutOfRangeIsNamedWithItsKeyAndTheRange() {
    assertEquals(
        "port must be 0 to 65535, not \"70000\"",
        assertThrows(ConfigException.class, () -> Settings.inRange("port", 70_000, 0, 65_535))
            .getMessage());
    assertEquals(
        "delay must be 0ms to 1m, not \"2h\"",
        assertThrows(
                ConfigException.class,
                () ->
                    Settings.inRange(
                        "delay", Duration.ofHours(2), Duration.ZERO, Duration.ofMinutes(1)))
            .getMessage());
  }
}
