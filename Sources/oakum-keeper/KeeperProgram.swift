import CLinux
import Glibc

/// The command line: `oakum-keeper --state FOLDER [--ready-fd NUMBER]`.
enum KeeperProgram {
    static let usage = """
        usage: oakum-keeper --state FOLDER [--ready-fd NUMBER]

        Keeps the workers of Oakum's services alive: owns their listening sockets, starts them, restarts them when they die.
        `oakum up` starts it by itself and tells it what to keep through FOLDER/keeper.sock.
          --state FOLDER     sockets, lock and logs; created when it is not there. One keeper a folder.
          --ready-fd NUMBER  a descriptor to write "ready" to once the keeper can be reached, else "busy: " (another
                             keeper serves the folder) or "error: " and why it cannot
        SIGTERM or SIGINT stops all workers politely, then the keeper; a second one kills them.

        """

    struct Options {
        var state = ""
        var readyDescriptor: Int32?
    }

    /// Runs the keeper to its end and returns the exit code: 0 stopped as asked, 1 could not start, 2 wrong arguments.
    static func run(_ arguments: [String]) -> Int32 {
        guard !arguments.contains("--help") else {
            write(usage, to: STDOUT_FILENO)
            return 0
        }
        guard let options = parse(arguments) else {
            write(usage, to: STDERR_FILENO)
            return 2
        }
        do throws(StartError) {
            let keeper = try Keeper(options: options)
            report("ready\n", options)
            keeper.run()
            return 0
        } catch {
            report("\(error.isBusy ? "busy" : "error"): \(error.text)\n", options)
            write("oakum-keeper: \(error.text)\n", to: STDERR_FILENO)
            return 1
        }
    }

    private static func parse(_ arguments: [String]) -> Options? {
        var options = Options()
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            switch name {
            case "--state": options.state = value
            case "--ready-fd":
                guard let descriptor = Int32(value), descriptor > 2 else { return nil }
                options.readyDescriptor = descriptor
            default: return nil
            }
        }
        return options.state.isEmpty ? nil : options
    }

    private static func report(_ text: String, _ options: Options) {
        guard let descriptor = options.readyDescriptor else { return }
        write(text, to: descriptor)
        close(descriptor)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        // A reader that is gone cannot be told anything.
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }
}

/// Why the keeper cannot start.
struct StartError: Error {
    var text: String
    /// Another keeper serves the folder already.
    var isBusy = false
}

/// The text of an errno value, given as it is or negative.
func errorText(_ number: Int32) -> String {
    String(cString: linux_error_text(number < 0 ? 0 &- number : number))
}
