// A little owner of an outbox that tests kill.
//
//   fixture-outbox DATABASE RECEIVER
//
// Takes commands, one a line, from descriptor 5, and answers there:
//
//   put ID DESTINATION PRIORITY THREAD   "ok ID" when the message is on the disk, "full ID" when there is no room
//   ack ID                               "acked ID" when that is on the disk
//   status                               "status WAITING CLAIMED UNHEARD"
//   stop                                 ends gracefully
//
// Every message is handed to the Unix socket RECEIVER as "ID ATTEMPT", which answers "ok", "later" or "never". Outcomes
// are counted in the table `heard`. OAKUM_WAYPOINTS is obeyed.
import CLinux
import DurableOutbox
import GRDB
import Glibc
import Migrations

signal(SIGPIPE, SIG_IGN)

let waypoints = try Waypoints.described(by: getenv("OAKUM_WAYPOINTS").map { String(cString: $0) })
let owner = try Owner(path: CommandLine.arguments[1], waypoints: waypoints)
let schedule = RetrySchedule(steps: [.milliseconds(20)], floor: .milliseconds(5))
let dispatcher = OutboxDispatcher(
    outbox: owner.outbox, database: owner.database, sender: SocketSender(path: CommandLine.arguments[2]),
    settings: OutboxSettings(schedule: schedule, sendTimeout: .seconds(5)), clock: ContinuousClock(),
    waypoints: waypoints, notice: { notice in if notice == .outcomes { owner.hear() } })
owner.obey(descriptor: 5) { dispatcher.stop() }
try await dispatcher.run()
