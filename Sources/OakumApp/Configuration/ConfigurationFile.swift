package import Foundation
package import StrictYAML

/// Why a configuration was not accepted: "oakum.yaml, line 12: unknown key …".
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    package var problem: YAMLProblem

    package var description: String { "\(file), \(problem)" }
}

/// Reads `oakum.yaml`.
package enum ConfigurationFile {
    /// Reads and checks a file: unknown keys, wrong units, executables that do not exist.
    package static func load(_ path: String) throws(ConfigurationError) -> OakumConfiguration {
        let url = URL(filePath: path).standardizedFileURL
        let text: String
        do {
            text = try String(contentsOf: url, encoding: .utf8)
        } catch {
            let exists = FileManager.default.fileExists(atPath: url.path)
            let problem = YAMLProblem(
                line: 0, message: exists ? "the file cannot be read as UTF-8 text" : "there is no such file",
                hint: exists ? nil : "try `-c examples/registration/oakum.yaml`")
            throw ConfigurationError(file: path, problem: problem)
        }
        do throws(YAMLProblem) {
            return try parse(text, folder: url.deletingLastPathComponent())
        } catch {
            throw ConfigurationError(file: path, problem: error)
        }
    }

    /// Reads a text whose relative paths are relative to `folder`.
    package static func parse(_ text: String, folder: URL) throws(YAMLProblem) -> OakumConfiguration {
        let root = try YAMLValue.parse(text).mapping(["state", "console", "observe_only", "services"], as: "the file")
        let state = try root["state"]?.string() ?? ".oakum"
        var console = ConsoleSettings(listen: ListenAddress(host: "127.0.0.1", port: 9100))
        if let value = root["console"] {
            let mapping = try value.mapping(["listen", "behind_proxy"])
            if let listen = mapping["listen"] { console.listen = try address(listen) }
            console.behindProxy = try mapping["behind_proxy"]?.bool() ?? false
            guard console.behindProxy || isLoopback(console.listen.host) else {
                throw value.problem(
                    "the console listens on \(console.listen), which others can reach, without TLS",
                    hint: "use 127.0.0.1, or say `behind_proxy: true` when a proxy checks who may look")
            }
        }
        var services: [ServiceSettings] = []
        for entry in try root.require("services", hint: "`services:` with one `- name: …` or more").list() {
            let service = try ServiceReader(folder: folder).read(entry)
            guard !services.contains(where: { $0.name == service.name }) else {
                throw entry.problem("two services are called `\(service.name)`")
            }
            services.append(service)
        }
        guard !services.isEmpty else { throw YAMLProblem(line: root.line, message: "`services` is empty") }
        return OakumConfiguration(
            state: absolute(state, in: folder), console: console,
            observeOnly: try root["observe_only"]?.bool() ?? false, services: services)
    }

    static func absolute(_ path: String, in folder: URL) -> String {
        URL(filePath: path, relativeTo: folder).standardizedFileURL.path
    }

    static func address(_ value: YAMLValue) throws(YAMLProblem) -> ListenAddress {
        guard let address = ListenAddress(try value.string()) else {
            throw value.problem("\(value.name) must be a host and a port", hint: "such as 127.0.0.1:8080")
        }
        return address
    }

    package static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}
