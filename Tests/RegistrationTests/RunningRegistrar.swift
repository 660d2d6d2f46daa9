import Foundation
import OakumTestKit
import Outbound

/// A registrar (or the drill's) as a process of its own, on a port the kernel chose, with a database of its own.
struct RunningRegistrar: Sendable {
    let process: ChildProcess
    let address: String
    let adminPath: String
    let client: OutboundClient

    /// Hashes are cheap unless `arguments` say otherwise.
    static func with<Result>(
        _ program: String = "registrar", database: String, admin: String, arguments: [String] = cheap,
        _ body: (RunningRegistrar) async throws -> Result
    ) async throws -> Result {
        let fixed = ["--database", database, "--listen", "127.0.0.1:0", "--admin", "unix:\(admin)"]
        return try await withProcess(try builtExecutable(program), fixed + arguments) { process in
            let line = try await process.line(containing: "serving")
            guard let start = line.range(of: "http="), let end = line.range(of: " [ServiceHandover]") else {
                throw TestKitError("no address in: \(line)")
            }
            let client = OutboundClient(maxConcurrent: 256)
            defer { client.shutdown() }
            let address = String(line[start.upperBound..<end.lowerBound])
            return try await body(
                RunningRegistrar(process: process, address: address, adminPath: admin, client: client))
        }
    }

    static func with<Result>(
        _ program: String = "registrar", arguments: [String] = cheap, _ body: (RunningRegistrar) async throws -> Result
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            try await with(
                program, database: folder.file("a.sqlite"), admin: folder.file("admin"), arguments: arguments, body)
        }
    }

    static let cheap = ["--hash-memory", "64KiB", "--hash-passes", "1", "--hash-wait", "10s"]

    func get(_ path: String, token: String? = nil) async throws -> OutboundResponse {
        let headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        return try await client.send(
            OutboundRequest(target: .url("http://\(address)\(path)"), headers: headers, timeoutSeconds: 30))
    }

    func send(
        _ method: String, _ path: String, body: String = "", contentType: String? = "application/json"
    ) async throws -> OutboundResponse {
        // An empty value takes away the type that curl would add.
        try await client.send(
            OutboundRequest(
                method: method, target: .url("http://\(address)\(path)"),
                headers: [("Content-Type", contentType ?? "")],
                body: Array(body.utf8), timeoutSeconds: 30))
    }

    func signUp(_ email: String, _ password: String = goodPassword) async throws -> OutboundResponse {
        try await send("POST", "/v1/signup", body: credentials(email, password))
    }

    func login(_ email: String, _ password: String = goodPassword) async throws -> OutboundResponse {
        try await send("POST", "/v1/login", body: credentials(email, password))
    }

    func logout(_ token: String) async throws -> OutboundResponse {
        try await client.send(
            OutboundRequest(
                method: "POST", target: .url("http://\(address)/v1/logout"),
                headers: [("Authorization", "Bearer \(token)")], timeoutSeconds: 30))
    }

    /// What the admin socket answers.
    func admin(_ path: String) async throws -> OutboundResponse {
        try await client.send(
            OutboundRequest(target: .unixSocket(path: adminPath, requestTarget: path), timeoutSeconds: 30))
    }

    private func credentials(_ email: String, _ password: String) -> String {
        #"{"email":"\#(email)","password":"\#(password)"}"#
    }

    /// A line of /proc/PID/status in bytes, e.g. VmRSS or VmHWM.
    func statusBytes(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        for line in status.split(separator: "\n") where line.hasPrefix("\(name):") {
            if let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({
                Int($0)
            }) {
                return kibibytes * 1024
            }
        }
        throw TestKitError("no \(name) in:\n\(status)")
    }
}

let goodPassword = "correct horse battery"

extension OutboundResponse {
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The members of a JSON object.
    var json: [String: Any] {
        get throws {
            guard let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
                throw TestKitError("no JSON object: \(text)")
            }
            return object
        }
    }

    /// The end of a problem's type.
    var problem: String? {
        get throws {
            guard header("Content-Type") == "application/problem+json" else { return nil }
            let prefix = "urn:oakum:registration:"
            guard let type = try json["type"] as? String, type.hasPrefix(prefix) else { return nil }
            return String(type.dropFirst(prefix.count))
        }
    }

    /// All that an observer sees but the date.
    var visible: String {
        let lines = headers.filter { $0.0.lowercased() != "date" }.map { "\($0.0): \($0.1)" }
        return ([String(status)] + lines + ["", text]).joined(separator: "\n")
    }
}
