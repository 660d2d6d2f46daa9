import BoundedCache
import Foundation

/// Works two caches as hard as it can for as long as it is told, and watches that they stay within their bounds: by their own
/// count at every look, by the allocator's, and by the kernel's.
@main
struct CacheSoak {
    static let usage = """
        usage: cache-soak [--minutes N | --seconds N] [--seed N]
          --minutes N   how long (3); fractions are fine
          --seconds N   the same in seconds
          --seed N      of the keys, sizes and operations (1)
        Exit status: 0 bounded, 1 not bounded (the table says by what), 2 wrong arguments.
        """

    static func main() async {
        guard let options = SoakOptions(CommandLine.arguments.dropFirst()) else {
            FileHandle.standardError.write(Data((usage + "\n").utf8))
            exit(2)
        }
        say(
            "caches of \(SoakCaches.texts >> 20) and \(SoakCaches.numbers >> 20) MiB, "
                + "\(SoakLoad.workers + SoakLoad.loaders) tasks, \(Int(options.seconds)) s, seed \(options.seed)")
        let problems = await Soak(options).run()
        for problem in problems.prefix(20) { say("NOT BOUNDED: \(problem)") }
        if problems.isEmpty { say("bounded") }
        exit(problems.isEmpty ? 0 : 1)
    }
}

struct SoakOptions {
    var seconds = 180.0
    var seed: UInt64 = 1

    init?(_ arguments: ArraySlice<String>) {
        var rest = arguments
        while let name = rest.popFirst() {
            guard let text = rest.popFirst(), let number = Double(text), number >= 0 else { return nil }
            switch name {
            case "--minutes": seconds = number * 60
            case "--seconds": seconds = number
            case "--seed": seed = UInt64(number)
            default: return nil
            }
        }
        guard seconds >= 1, seconds <= 7 * 86_400 else { return nil }
    }
}

/// Prints a line at once, also into a file.
func say(_ line: String) {
    print(line)
    fflush(nil)
}
