import Foundation
import OakumApp
import OakumTestKit
import StrictYAML
import Testing

/// One service, so that the rest of the file may be about something else.
let oneService = """
    services:
      - name: registrar
        command: [/bin/true]
        listen: 127.0.0.1:0
        memory_budget: 64MiB

    """

/// Reads a text with one service after it.
func read(
    _ text: String, services: String = oneService, folder: String = "/nowhere", environment: [String: String] = [:]
) throws(YAMLProblem) -> OakumConfiguration {
    try ConfigurationFile.parse(
        text + "\n" + services, folder: URL(filePath: folder, directoryHint: .isDirectory), environment: environment)
}

/// What is said of a text that cannot be used; nil: it can be.
func problem(
    _ text: String, services: String = oneService, folder: String = "/nowhere", environment: [String: String] = [:]
) -> String? {
    do throws(YAMLProblem) {
        _ = try read(text, services: services, folder: folder, environment: environment)
        return nil
    } catch {
        return error.description
    }
}

/// A file of this mode in a folder.
func write(_ text: String, _ name: String, in folder: TemporaryFolder, mode: Int = 0o600) throws {
    let path = folder.file(name)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
}
