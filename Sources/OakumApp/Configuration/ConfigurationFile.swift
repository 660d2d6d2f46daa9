import AlertRules
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
        let folder = URL(filePath: path).standardizedFileURL.deletingLastPathComponent()
        do throws(YAMLProblem) {
            return try parse(try read(path), folder: folder)
        } catch {
            throw ConfigurationError(file: path, problem: error)
        }
    }

    /// The state folder a configuration names, without checking the rest of it: what a command needs to find its
    /// `oakum` must not depend on executables that were moved since.
    package static func stateFolder(_ path: String) throws(ConfigurationError) -> String {
        let folder = URL(filePath: path).standardizedFileURL.deletingLastPathComponent()
        do throws(YAMLProblem) {
            let entries = try YAMLValue.parse(try read(path)).entries()
            let state = try entries.first { $0.key == "state" }?.value.string() ?? ".oakum"
            return absolute(state, in: folder)
        } catch {
            throw ConfigurationError(file: path, problem: error)
        }
    }

    private static func read(_ path: String) throws(YAMLProblem) -> String {
        do {
            return try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            let exists = FileManager.default.fileExists(atPath: path)
            throw YAMLProblem(
                line: 0, message: exists ? "the file cannot be read as UTF-8 text" : "there is no such file",
                hint: exists ? nil : "try `-c examples/registration/oakum.yaml`")
        }
    }

    /// Reads a text whose relative paths are relative to `folder`.
    ///
    /// - Parameter environment: where `…_env` keys look.
    package static func parse(
        _ text: String, folder: URL, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(YAMLProblem) -> OakumConfiguration {
        let root = try YAMLValue.parse(text).mapping(
            ["state", "console", "observe_only", "services"] + ResponseReader.keys, as: "the file")
        let state = try root["state"]?.string() ?? ".oakum"
        var console = ConsoleSettings(listen: ListenAddress(host: "127.0.0.1", port: 9100))
        if let value = root["console"] {
            let mapping = try value.mapping(["listen", "behind_proxy"])
            if let listen = mapping["listen"] { console.listen = try address(listen) }
            console.behindProxy = try mapping["behind_proxy"]?.bool() ?? false
            try checkReach(console.listen, behindProxy: console.behindProxy, line: value.line)
        }
        var response = ResponseReader(folder: folder, environment: environment)
        try response.read(root)
        let services = try services(root, folder: folder, response)
        if let value = root["audiences"] { try response.audiences(value, services: services.map(\.name)) }
        if let value = root["heartbeats"] { try response.heartbeats(value, services: services.map(\.name)) }
        return OakumConfiguration(
            state: absolute(state, in: folder), console: console,
            observeOnly: try root["observe_only"]?.bool() ?? false, services: services, response: response.settings)
    }

    private static func services(
        _ root: YAMLMapping, folder: URL, _ response: ResponseReader
    ) throws(YAMLProblem) -> [ServiceSettings] {
        var alerts = AlertSettings()
        if let value = root["alerts"] {
            alerts = try AlertReader(zones: response.zones).service(value, base: alerts, isTop: true)
        }
        let reader = ServiceReader(folder: folder, response: response.settings, alerts: alerts, zones: response.zones)
        var services: [ServiceSettings] = []
        for entry in try root.require("services", hint: "`services:` with one `- name: …` or more").list() {
            let service = try reader.read(entry)
            guard !services.contains(where: { $0.name == service.name }) else {
                throw entry.problem("two services are called `\(service.name)`")
            }
            services.append(service)
        }
        guard !services.isEmpty else { throw YAMLProblem(line: root.line, message: "`services` is empty") }
        return services
    }

    /// The console shows what runs here to anybody who reaches it.
    private static func checkReach(_ address: ListenAddress, behindProxy: Bool, line: Int) throws(YAMLProblem) {
        guard behindProxy || isLoopback(address.host) else {
            throw YAMLProblem(
                line: line, message: "the console would listen on \(address), which others can reach, without TLS",
                hint: "use 127.0.0.1, or say `behind_proxy: true` when a proxy checks who may look")
        }
    }

    /// The address of `--console`, under the same rules as the one in the file.
    package static func consoleAddress(
        _ text: String, behindProxy: Bool
    ) throws(ConfigurationError) -> ListenAddress {
        do throws(YAMLProblem) {
            guard let address = ListenAddress(text) else {
                throw YAMLProblem(line: 0, message: "`\(text)` is not HOST:PORT", hint: "such as 127.0.0.1:9100")
            }
            try checkReach(address, behindProxy: behindProxy, line: 0)
            return address
        } catch {
            throw ConfigurationError(file: "--console", problem: error)
        }
    }

    /// A path as the shell meant it.
    package static func absolutePath(_ path: String) -> String {
        URL(filePath: path).standardizedFileURL.path
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
