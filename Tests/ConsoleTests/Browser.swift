import Foundation
import OakumTestKit
import Synchronization

/// Headless Chromium, driven over the DevTools protocol through a pipe: NUL-separated JSON on descriptors 3 and 4.
///
/// Everything the page complains about (console errors, uncaught exceptions, refused resources, policy violations) is
/// kept in `complaints`.
final class Browser: Sendable {
    typealias Object = [String: JSONValue]

    private struct State {
        var nextID = 0
        var waiting: [Int: CheckedContinuation<JSONValue, any Error>] = [:]
        var complaints: [String] = []
        var ended = false
    }
    private let state = Mutex(State())
    private let pid: pid_t
    private let commands: CInt
    private let answers: CInt

    /// Nil where Debian's chromium is not installed.
    static let executable: String? = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first {
        access($0, X_OK) == 0
    }

    /// What the page complained about so far.
    var complaints: [String] { state.withLock { $0.complaints } }

    private init(profile: String) throws {
        guard let executable = Self.executable else { throw TestKitError("chromium is not installed") }
        let toBrowser = try Self.makePipe()
        let fromBrowser = try Self.makePipe()
        commands = toBrowser.write
        answers = fromBrowser.read
        let arguments = [
            executable, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--mute-audio",
            "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
            "--no-first-run", "--user-data-dir=\(profile)", "--remote-debugging-pipe", "about:blank",
        ]
        pid = try Self.spawn(executable, arguments, input: toBrowser.read, output: fromBrowser.write)
        close(toBrowser.read)
        close(fromBrowser.write)
        let thread = Thread { [self] in readAnswers() }
        thread.start()
    }

    /// Starts a browser with a profile of its own, and ends it with the scope.
    static func withRunning<Result>(_ body: (Browser) async throws -> Result) async throws -> Result {
        try await withTemporaryFolder { folder in
            let browser = try Browser(profile: folder.file("profile"))
            do {
                let result = try await body(browser)
                await browser.end()
                return result
            } catch {
                await browser.end()
                throw error
            }
        }
    }

    /// Politely, then by force; waits until it is gone.
    private func end() async {
        send(["id": .number(0), "method": "Browser.close"])
        close(commands)
        do {
            try await eventually("chromium ends", within: .seconds(10), holds: { waitpid(pid, nil, WNOHANG) != 0 })
        } catch {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    /// Calls a method of the protocol and returns its result. Throws when there is none within 40 s.
    @discardableResult
    func call(_ method: String, _ parameters: Object = [:], session: String? = nil) async throws -> JSONValue {
        try await withDeadline("chromium to answer \(method)", within: .seconds(40)) {
            try await self.answer(method, parameters, session)
        }
    }

    private func answer(_ method: String, _ parameters: Object, _ session: String?) async throws -> JSONValue {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ended = state.withLock { state in
                    if !state.ended { state.waiting[id] = continuation }
                    return state.ended
                }
                guard !ended else { return continuation.resume(throwing: TestKitError("chromium has ended")) }
                var message: Object = [
                    "id": .number(Double(id)), "method": .string(method), "params": .object(parameters),
                ]
                if let session { message["sessionId"] = .string(session) }
                send(message)
            }
        } onCancel: {
            let waiting = state.withLock { $0.waiting.removeValue(forKey: id) }
            waiting?.resume(throwing: CancellationError())
        }
    }

    private func send(_ message: Object) {
        // Own values always encode.
        guard let json = try? JSONEncoder().encode(JSONValue.object(message)) else { return }
        let bytes = Array(json) + [0]
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(commands, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            sent += count
        }
    }

    // MARK: - On the reading thread

    private func readAnswers() {
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(answers, &buffer, buffer.count)
            guard count > 0 else { break }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: 0) {
                take(Data(pending[..<end]))
                pending.removeSubrange(...end)
            }
        }
        let left = state.withLock { state in
            state.ended = true
            defer { state.waiting.removeAll() }
            return Array(state.waiting.values)
        }
        for continuation in left {
            continuation.resume(throwing: TestKitError("chromium ended"))
        }
        close(answers)
    }

    private func take(_ message: Data) {
        // Chromium's own messages are well-formed; anything else is of no use here.
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: message) else { return }
        if let id = value["id"]?.number {
            let continuation = state.withLock { $0.waiting.removeValue(forKey: Int(id)) }
            if let error = value["error"]?["message"]?.string {
                continuation?.resume(throwing: TestKitError("chromium: \(error)"))
            } else {
                continuation?.resume(returning: value["result"] ?? .null)
            }
        } else if let complaint = Self.complaint(value) {
            state.withLock { state in
                // The same again and again says nothing new.
                if !state.complaints.contains(complaint) { state.complaints.append(complaint) }
            }
        }
    }

    private static func complaint(_ event: JSONValue) -> String? {
        let parameters = event["params"]
        switch event["method"]?.string {
        case "Runtime.exceptionThrown":
            let details = parameters?["exceptionDetails"]
            return "uncaught: \(details?["exception"]?["description"]?.string ?? details?["text"]?.string ?? "?")"
        case "Runtime.consoleAPICalled":
            guard let type = parameters?["type"]?.string, ["error", "warning", "assert"].contains(type) else {
                return nil
            }
            let texts = parameters?["args"]?.array?.map { $0["value"]?.string ?? $0["description"]?.string ?? "?" }
            return "console.\(type): \((texts ?? []).joined(separator: " "))"
        case "Log.entryAdded":
            let entry = parameters?["entry"]
            guard let level = entry?["level"]?.string, level == "error" || level == "warning" else { return nil }
            return "log \(level): \(entry?["text"]?.string ?? "?") \(entry?["url"]?.string ?? "")"
        default: return nil
        }
    }

    // MARK: - Process

    private static func makePipe() throws -> (read: CInt, write: CInt) {
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { throw TestKitError("no pipe: \(String(cString: strerror(errno)))") }
        // Out of the way of 3 and 4, and not inherited but where meant.
        let moved = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 10) }
        ends.forEach { close($0) }
        return (moved[0], moved[1])
    }

    private static func spawn(
        _ path: String, _ arguments: [String], input: CInt, output: CInt
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 3)
        posix_spawn_file_actions_adddup2(&actions, output, 4)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        vector.append(nil)
        defer { vector.forEach { free($0) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, path, &actions, nil, vector, environ)
        guard failure == 0 else { throw TestKitError("cannot start \(path): \(String(cString: strerror(failure)))") }
        return pid
    }
}

/// Any JSON.
enum JSONValue: Sendable, Codable, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(stringLiteral value: String) { self = .string(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {  // Tried in turn: JSON does not say its type ahead.
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {  // As above.
            self = .number(value)
        } else if let value = try? container.decode(String.self) {  // As above.
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {  // As above.
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value):
            if let whole = Int(exactly: value) { try container.encode(whole) } else { try container.encode(value) }
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    subscript(_ key: String) -> JSONValue? {
        if case .object(let object) = self { object[key] } else { nil }
    }
    var string: String? { if case .string(let value) = self { value } else { nil } }
    var number: Double? { if case .number(let value) = self { value } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
}
