"""A leaderboard in the formats that ship with judgeharness."""
