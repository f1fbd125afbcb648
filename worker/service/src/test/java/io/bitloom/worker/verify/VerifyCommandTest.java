package io.bitloom.worker.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.worker.Main;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerifyCommandTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "verify --fixtures nowhere|--fixtures: \"nowhere\" is not a folder",
        "verify --dtype bf16|--dtype bf16 needs --fixtures",
        "verify --only vae_tiny|--only vae_tiny needs --fixtures",
      })
  void whatNeedsFixturesSaysSo(String command, String message) {
    StringWriter err = new StringWriter();

    int exitCode =
        Main.commandLine().setErr(new PrintWriter(err, true)).execute(command.split(" "));

    assertEquals(2, exitCode, err.toString());
    assertTrue(err.toString().contains(message), err.toString());
  }
}
