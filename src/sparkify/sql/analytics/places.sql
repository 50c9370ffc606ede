-- In which time zone the places are that plays come from. One row per place.
-- grain: location
-- A place is what the app says of where the listener is: a metro area of the United States, such as `St.
-- Louis, MO-IL`. Its first city and first state tell the time zone, in states with two of them, too; all
-- else has none: NULL. time_zone is one of eight of the same clock, such as America/New_York for Detroit.
CREATE VIEW analytics.places AS
SELECT
    c.location,
    CASE
        -- Cities whose zone is not that of most of their state.
        WHEN c.state || ' ' || c.city IN (
            'FL Crestview', 'FL Panama City', 'FL Pensacola', 'IN Evansville', 'IN Michigan City',
            'KY Bowling Green', 'KY Central City', 'KY Glasgow', 'KY Madisonville', 'KY Mayfield',
            'KY Murray', 'KY Owensboro', 'KY Paducah', 'MI Iron Mountain'
        ) THEN 'America/Chicago'
        WHEN c.state || ' ' || c.city IN (
            'TN Athens', 'TN Chattanooga', 'TN Cleveland', 'TN Dayton', 'TN Greeneville', 'TN Harriman',
            'TN Johnson City', 'TN Kingsport', 'TN Knoxville', 'TN La Follette', 'TN Morristown',
            'TN Newport', 'TN Sevierville'
        ) THEN 'America/New_York'
        WHEN c.state || ' ' || c.city IN (
            'ND Dickinson', 'NE Scottsbluff', 'OR Ontario', 'SD Rapid City', 'SD Spearfish', 'TX El Paso'
        ) THEN 'America/Denver'
        WHEN c.state || ' ' || c.city IN (
            'ID Coeur d''Alene', 'ID Lewiston', 'ID Moscow', 'ID Sandpoint'
        ) THEN 'America/Los_Angeles'
        WHEN c.state IN (
            'CT', 'DC', 'DE', 'FL', 'GA', 'IN', 'KY', 'MA', 'MD', 'ME', 'MI', 'NC', 'NH', 'NJ', 'NY',
            'OH', 'PA', 'RI', 'SC', 'VA', 'VT', 'WV'
        ) THEN 'America/New_York'
        WHEN c.state IN (
            'AL', 'AR', 'IA', 'IL', 'KS', 'LA', 'MN', 'MO', 'MS', 'ND', 'NE', 'OK', 'SD', 'TN', 'TX', 'WI'
        ) THEN 'America/Chicago'
        WHEN c.state IN ('CO', 'ID', 'MT', 'NM', 'UT', 'WY') THEN 'America/Denver'
        WHEN c.state IN ('CA', 'NV', 'OR', 'WA') THEN 'America/Los_Angeles'
        WHEN c.state = 'AK' THEN 'America/Anchorage'
        WHEN c.state = 'AZ' THEN 'America/Phoenix'
        WHEN c.state = 'HI' THEN 'Pacific/Honolulu'
        WHEN c.state = 'PR' THEN 'America/Puerto_Rico'
    END AS time_zone
FROM (
    SELECT
        d.location,
        SPLIT_PART(SPLIT_PART(d.location, ', ', 1), '-', 1) AS city,
        SPLIT_PART(SPLIT_PART(d.location, ', ', 2), '-', 1) AS state
    FROM (SELECT DISTINCT p.location FROM songplays AS p WHERE p.location IS NOT NULL) AS d
) AS c;
